// The page: what each step needs, what it shows, and what becomes of errors.
import { Chart } from './chart.js';
import { ClassCard } from './classes.js';
import { readImage, takesImages, thumbnail } from './images.js';
import { classify, openBackend, trainHead, Trunk } from './network.js';
import { fetchWeights, weightsAtRandom, weightsFromFile } from './weights.js';

/** @typedef {import('@thaw/model').TrunkWeights} TrunkWeights */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element '${id}'`);
  return /** @type {T} */ (found);
};
const [device, errorLine, steps, answers] = ['device', 'error', 'steps', 'answers'].map((id) => element(id));
const [weightsStatus, trainStatus, tryDrop] = ['weights-status', 'train-status', 'try'].map((id) => element(id));
const weightsProgress = /** @type {HTMLProgressElement} */ (element('weights-progress'));
const trainProgress = /** @type {HTMLProgressElement} */ (element('train-progress'));
const [trainButton, stopButton] = ['train', 'stop'].map((id) => /** @type {HTMLButtonElement} */ (element(id)));
const imageSize = /** @type {HTMLSelectElement} */ (element('image-size'));

/** @type {ClassCard[]} */
let cards = [];
/** @type {TrunkWeights | undefined} */
let weights;
/** @type {Trunk | undefined} */
let trunk;
/** @type {{ classifier: import('@thaw/model').Classifier, names: string[], trunk: Trunk } | undefined} */
let trained;
/** @type {() => Promise<void>} */
let settle = async () => undefined;
/** Features of the images, for the trunk at hand. @type {WeakMap<File, Float32Array>} */
let known = new WeakMap();
let isBusy = false;

/** @param {unknown} error */
function showError(error) {
  errorLine.textContent = error instanceof Error ? error.message : String(error);
  errorLine.hidden = false;
  errorLine.scrollIntoView({ block: 'nearest' });
  console.error(error);
}

/** Does one thing at a time; what goes wrong is shown. @param {() => Promise<void>} work */
async function alone(work) {
  if (isBusy) return;
  isBusy = true;
  errorLine.hidden = true;
  refresh();
  try {
    await work();
  } catch (error) {
    showError(error);
  } finally {
    isBusy = false;
    refresh();
  }
}

/** What is missing before training can begin; undefined where nothing is. */
function missing() {
  if (!weights) return 'Choose weights first.';
  if (cards.length < 2) return 'Two classes are needed.';
  const names = cards.map(({ name }) => name);
  if (names.includes('')) return 'Every class needs a name.';
  if (new Set(names).size < names.length) return 'Two classes have the same name.';
  const few = cards.find(({ examples }) => examples.length < 2);
  return few && `"${few.name}" needs at least 2 images.`;
}

function refresh() {
  const reason = missing();
  trainButton.disabled = isBusy || reason !== undefined;
  if (!isBusy && reason) trainStatus.textContent = reason;
  else if (!isBusy && !trained) trainStatus.textContent = 'Ready.';
  tryDrop.inert = isBusy || !trained;
  for (const id of ['fetch-weights', 'random-weights', 'weights-file', 'image-size', 'add-class'])
    /** @type {HTMLButtonElement} */ (element(id)).disabled = isBusy;
}

/** @param {string} name */
function addClass(name) {
  const card = new ClassCard(name, {
    onChange: refresh,
    onError: showError,
    onRemove: (one) => {
      cards = cards.filter((other) => other !== one);
      one.element.remove();
      refresh();
    },
  });
  cards.push(card);
  element('classes').append(card.element);
  refresh();
}

/** @param {string} what @param {boolean} isRandom @param {() => TrunkWeights | Promise<TrunkWeights>} load */
const useWeights = (what, isRandom, load) =>
  alone(async () => {
    weightsStatus.textContent = `${what} …`;
    // So that the line is seen before the work begins.
    await new Promise(requestAnimationFrame);
    try {
      weights = await load();
      forgetTrunk();
      weightsStatus.textContent = `${what}: ready (${weights.variant}'s ResNet-50).`;
      element('random-warning').hidden = !isRandom;
    } catch (error) {
      weightsStatus.textContent = weights ? 'The weights from before are still in use.' : 'None yet.';
      throw error;
    } finally {
      weightsProgress.hidden = true;
    }
  });

/** Features and heads belong to the trunk that made them. */
function forgetTrunk() {
  trained?.classifier.head.dispose();
  trained = undefined;
  trunk?.dispose();
  trunk = undefined;
  known = new WeakMap();
  answers.replaceChildren();
}

/** Features of the files that have none yet. @param {File[]} files @param {Trunk} by @param {(done: number, of: number) => void} onProgress */
async function featuresOf(files, by, onProgress) {
  const fresh = files.filter((file) => !known.has(file));
  for (let start = 0; start < fresh.length; start += 8) {
    onProgress(start, fresh.length);
    const some = fresh.slice(start, start + 8);
    const images = await Promise.all(some.map((file) => readImage(file, by.imageSize)));
    const rows = await by.features(images);
    some.forEach((file, i) => known.set(file, rows[i] ?? new Float32Array()));
  }
  return files.map((file) => known.get(file) ?? new Float32Array());
}

const train = () =>
  alone(async () => {
    if (!weights) return;
    const stop = new AbortController();
    stopButton.onclick = () => stop.abort();
    stopButton.hidden = false;
    trainProgress.hidden = false;
    try {
      trunk ??= new Trunk(weights, Number(imageSize.value));
      const names = cards.map(({ name }) => name);
      const files = cards.flatMap(({ examples }) => examples.map(({ file }) => file));
      const labels = cards.flatMap(({ examples }, c) => examples.map(() => c));
      const features = await featuresOf(files, trunk, (done, of) => {
        stop.signal.throwIfAborted();
        trainStatus.textContent = `Features of ${done} of ${of} images …`;
        trainProgress.value = done / of;
      });
      /** @type {Chart | undefined} */
      let chart;
      const classifier = await trainHead({
        trunk,
        features,
        labels,
        classes: names.length,
        settle,
        signal: stop.signal,
        onEpoch: (record, epochs) => {
          chart ??= new Chart(element('chart'), epochs);
          chart.add(record);
          trainStatus.textContent = `Epoch ${record.epoch} of ${epochs}`;
          trainProgress.value = record.epoch / epochs;
        },
      });
      trained?.classifier.head.dispose();
      trained = { classifier, names, trunk };
      trainStatus.textContent = `${stop.signal.aborted ? 'Stopped' : 'Trained'} on ${files.length} images. Drop a picture below.`;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      trainStatus.textContent = 'Stopped.';
    } finally {
      stopButton.hidden = true;
      trainProgress.hidden = true;
    }
  });

/** @param {File[]} files */
const answer = (files) =>
  alone(async () => {
    if (!trained) return;
    const { classifier, names, trunk: by } = trained;
    for (const file of files) {
      const picture = await thumbnail(file, 192);
      const [features] = await featuresOf([file], by, () => undefined);
      if (features) answers.prepend(answerItem(picture, file.name, names, await classify(classifier, features)));
    }
  });

/** @param {HTMLCanvasElement} picture @param {string} fileName @param {string[]} names @param {number[]} probabilities */
function answerItem(picture, fileName, names, probabilities) {
  const ranked = names.map((name, c) => ({ name, share: probabilities[c] ?? 0 })).sort((a, b) => b.share - a.share);
  const item = document.createElement('li');
  const right = document.createElement('div');
  const title = document.createElement('h3');
  title.textContent = ranked[0]?.name ?? '';
  right.append(title, ...ranked.slice(0, 5).map(bar));
  picture.title = fileName;
  item.append(picture, right);
  return item;
}

/** @param {{ name: string, share: number }} of */
function bar({ name, share }) {
  const percent = `${(100 * share).toFixed(1)} %`;
  const row = document.createElement('div');
  row.className = 'bar';
  const [label, line, value] = ['span', 'div', 'span'].map((tag) => document.createElement(tag));
  label.textContent = name;
  line.style.setProperty('--share', String(share));
  value.textContent = percent;
  row.append(label, line, value);
  return row;
}

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

element('fetch-weights').addEventListener('click', () =>
  useWeights('ImageNet weights', false, () =>
    fetchWeights((received, total) => {
      weightsProgress.hidden = false;
      if (total) weightsProgress.value = received / total;
      else weightsProgress.removeAttribute('value');
      weightsStatus.textContent = `ImageNet weights: ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ''} …`;
    }),
  ),
);
const weightsFile = /** @type {HTMLInputElement} */ (element('weights-file'));
weightsFile.addEventListener('change', () => {
  const [file] = weightsFile.files ?? [];
  weightsFile.value = '';
  if (file) void useWeights(file.name, false, () => weightsFromFile(file));
});
element('random-weights').addEventListener('click', () => useWeights('Random weights', true, weightsAtRandom));
imageSize.addEventListener('change', () => {
  forgetTrunk();
  refresh();
});
element('add-class').addEventListener('click', () => addClass(`Class ${cards.length + 1}`));
trainButton.addEventListener('click', train);
takesImages(tryDrop, (files) => void answer(files));

for (const name of ['Class 1', 'Class 2']) addClass(name);
try {
  const opened = await openBackend();
  settle = () => opened.backend.settle();
  const name = [...new Set([opened.name, opened.architecture])].filter(Boolean).join(' ');
  device.textContent = opened.isSoftware
    ? `No GPU here but a processor that plays one (${name}), so this will be slow. A small image side helps.`
    : `On ${name || 'your GPU'}.`;
  void opened.device.lost.then(({ message }) =>
    showError(new Error(`The GPU was lost (${message || 'no reason given'}). Load the page again.`)),
  );
  steps.inert = false;
} catch (error) {
  device.textContent = 'There is no GPU that this page can use.';
  showError(error);
}
refresh();
