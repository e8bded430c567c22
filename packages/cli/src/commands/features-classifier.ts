// thaw features --classifier: fits a classical classifier on the features of a data set's training part, into a run folder.
import { join, resolve } from 'node:path';
import { evaluateFeatures, headFeatures, type Evaluation, type Features } from '@thaw/model';
import type { SkippedImage } from '@thaw/data';
import { CommandError, UsageError } from '../errors.ts';
import { flagOf, type Settings, type SomeSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import { contentFacts } from '../ranks/facts.ts';
import { claimRunFolder, dropIfEmpty, makeRunFolder, runFile, runName, writeJson } from '../runs/folder.ts';
import { portableData } from '../runs/portable.ts';
import { scoresOf } from '../runs/summary.ts';
import { openForCommand } from '../session/backend.ts';
import { fit, keep, type FitProgress } from '../session/classical.ts';
import { buildClassifier } from '../session/classifier.ts';
import { dataSlug, openRunData, type Part } from '../session/data.ts';
import { partFeatures } from '../session/evaluate-part.ts';
import { checkFeaturesFit } from '../session/feature-memory.ts';
import { featureCache } from '../session/features.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { makeConfig } from '../session/recorded-run.ts';
import { closeRun, openWith } from '../session/run.ts';
import { DataSource } from '../session/source.ts';
import { obtainWeights } from '../session/weights.ts';
import { evaluationText } from '../text/evaluation.ts';
import { count, duration, percent, plural } from '../text/format.ts';
import { Trunk } from '../trunk/trunk.ts';
import type { Context } from './command.ts';

export type ClassifierRunSettings = Pick<
  Settings,
  'data' | 'classifier' | 'neighbors' | 'seed' | 'batchSize' | 'strict' | 'cacheFeatures' | 'checkpoint' | 'backend' | 'trunk' | 'verbose'
> & SomeSettings; // prettier-ignore

/** Settings that one way of using `thaw features` knows and the other does not. */
const FILE_ONLY = ['split', 'range', 'run'] as const;
const CLASSIFIER_ONLY = ['trees', 'depth', 'l2', 'limitTrain', 'validationSplit'] as const;

/** Longer than this, a fit says what makes it shorter. */
const LONG_SECONDS = 120;

/** Names in a sentence. */
const KIND_NAMES = {
  logistic: 'logistic regression',
  tree: 'decision tree',
  forest: 'random forest',
  boosting: 'boosted trees',
  knn: 'nearest neighbours',
} as const;

/** @throws UsageError for a setting that goes with files of features and not with a classifier, or the other way round */
export function checkFeatureSettings(settings: SomeSettings): void {
  const { classifier } = settings;
  if (classifier === undefined) {
    const name = CLASSIFIER_ONLY.find((one) => settings[one] !== undefined);
    if (name)
      throw new UsageError(`${flagOf(name)}: goes with --classifier alone; leave it out, or name a classifier.`);
    return;
  }
  const name = FILE_ONLY.find((one) => settings[one] !== undefined);
  if (name)
    throw new UsageError(`${flagOf(name)}: goes with a file of features alone; --classifier learns from the training part and is scored on the others.`); // prettier-ignore
  if (settings.l2 !== undefined && classifier !== 'logistic')
    throw new UsageError(`--l2: a ${KIND_NAMES[classifier]} has no such penalty; it is logistic's.`);
  if (settings.depth !== undefined && (classifier === 'logistic' || classifier === 'knn'))
    throw new UsageError(`--depth: ${classifier} has no trees; it is that of tree, forest and boosting.`);
  if (settings.trees !== undefined && classifier !== 'forest' && classifier !== 'boosting')
    throw new UsageError(`--trees: ${classifier} has no number of trees; it is that of forest and boosting.`);
}

export async function fitClassifier(settings: ClassifierRunSettings, { io, output, ranks }: Context): Promise<void> {
  const { classifier: kind, data: dataName, seed, batchSize } = settings;
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const folder = await ranks.fromFirst(() =>
    settings.output === undefined
      ? makeRunFolder(join(io.cwd, 'runs'), runName(new Date(), dataSlug(dataName), kind))
      : claimRunFolder(resolve(io.cwd, settings.output)),
  );
  const interrupt = listenForInterrupt();
  const reporter = createReporter(output);
  let backend: Awaited<ReturnType<typeof openForCommand>> | undefined;
  let trunk: Trunk | undefined;
  try {
    const start = performance.now();
    const data = await ranks.fetching((download) =>
      openRunData(settings, { cwd: io.cwd, homes, progress, signal: interrupt.signal, download }),
    );
    for (const note of data.notes) output.warn(note);
    await ranks.together(() => checkCounts(settings, data.train.indices.length));
    backend = await ranks.together(() => openForCommand(settings, { io, output }));
    trunk = new Trunk({ settings, backend, output, ranks: ranks.size });
    const loaded = await ranks.fetching((download) => obtainWeights({ ...settings, download }, homes, progress));
    await ranks.agree(contentFacts(data, loaded.weights));
    const imageSize = settings.imageSize ?? Math.max(32, data.train.dataset.imageSize?.height ?? 224);
    const network = { thaw: 'none', batchNorm: 'keras', imageSize, head: 'linear', seed, precision: settings.precision ?? 'float32' } as const; // prettier-ignore
    const { config: _c, output: _o, quiet: _q, json: _j, verbose: _v, ...kept } = settings;
    const config = {
      ...makeConfig({
        preset: kind,
        command: io.commandLine,
        settings: { ...kept, ...network, data: await portableData(dataName, io.cwd) },
        data,
        loaded,
        backend,
      }),
      classifier: { kind, ...(settings.pca !== undefined && { pca: settings.pca }) },
    };
    output.event('run', { folder, ...config });
    const classifier = buildClassifier(loaded.weights, network, data.classes.length);
    const features = headFeatures(classifier, imageSize);
    const parts = { train: data.train, validation: data.validation, test: data.test };
    const store = settings.cacheFeatures
      ? featureCache({ homes, weights: loaded.weights, features, parts, onNote: (note) => output.warn(note), ranks })
      : undefined;
    const skipped = new Map<string, SkippedImage>();
    const source = (part: Part): DataSource =>
      new DataSource(part.dataset, part.indices, {
        imageSize,
        preprocessing: classifier.network.variant.preprocessing,
        strict: settings.strict,
        onSkip: (image) => {
          if (!skipped.has(image.path)) output.skipped(image);
          skipped.set(image.path, image);
        },
      });
    const runningTrunk = trunk;
    const options = (key: keyof typeof parts) => {
      const begun = performance.now();
      return {
        key,
        store,
        batchSize,
        ranks,
        signal: interrupt.signal,
        runner: () => runningTrunk.runner(features),
        onProgress: (done: number, total: number): void => {
          const imagesPerSecond = (1000 * done) / (performance.now() - begun);
          reporter.show({ label: `${key} images`, done, total, imagesPerSecond, secondsLeft: (total - done) / imagesPerSecond }); // prettier-ignore
        },
      };
    };
    await ranks.together(() =>
      checkFeaturesFit(data.train.indices.length, features.width, 'Take fewer with --limit-train.'),
    );
    const featuresOf = async (name: keyof typeof parts): Promise<Features | undefined> => {
      const part = data[name];
      const found = part && part.indices.length > 0 ? await partFeatures(source(part), features.width, options(name)) : undefined; // prettier-ignore
      reporter.clear();
      return found;
    };
    const learned = await featuresOf('train');
    if (!learned || learned.labels.length === 0)
      throw ranks.share(new CommandError(`${dataName}: not one image could be read.`));
    const held = { validation: await featuresOf('validation'), test: await featuresOf('test') };
    const unreadable = new Map((await ranks.gather([...skipped])).flat());
    if (!ranks.isFirst) return;
    const fitStart = performance.now();
    output.say(fitText(settings, learned, data.classes.length));
    const fitted = await fit(learned, data.classes.length, settings, fitProgress());
    reporter.clear();
    const fitSeconds = (performance.now() - fitStart) / 1000;
    if (fitted.kind === 'head' && !fitted.converged)
      output.warn(`the regression stopped after ${plural(fitted.iterations, 'iteration')} short of its optimum; a larger --l2 brings it nearer.`); // prettier-ignore
    await keep(folder, fitted);
    await writeJson(runFile.config(folder), config);
    classifier.dispose();

    // Read back from the folder, so what is scored is what evaluate and predict will use.
    const opened = await openWith(loaded, {
      folder,
      config,
      checkpoint: 'best',
      precision: network.precision,
      onNote: (note) => output.warn(note),
    });
    const scores: Partial<Record<'validation' | 'test', Evaluation>> = {};
    for (const name of ['validation', 'test'] as const) {
      const scored = held[name];
      if (scored) scores[name] = await evaluateFeatures(opened.scorer, scored);
    }
    const evaluatedOn = scores.test ? 'test' : 'validation';
    const evaluation = scores.test ?? scores.validation;
    if (!evaluation) throw new CommandError(`${dataName}: there is no image to score the classifier on; leave some with --validation-split.`); // prettier-ignore
    const seconds = (performance.now() - start) / 1000;
    const summary = {
      preset: kind,
      evaluatedOn,
      ...scoresOf(evaluation, config.data.classes),
      ...(scores.test && scores.validation && { validation: { accuracy: scores.validation.accuracy, macroF1: scores.validation.macroF1 } }), // prettier-ignore
      classifier: { ...config.classifier, features: learned.width, trainingImages: learned.labels.length, fitSeconds },
      seconds,
      device: config.device,
      skipped: [...unreadable.values()],
    };
    await writeJson(runFile.summary(folder), summary);
    output.event('result', { folder, ...summary });
    output.result(
      [
        '',
        evaluationText(evaluation, data.classes, {
          width: output.width,
          colors: output.colors,
          title: `${evaluatedOn} images, ${KIND_NAMES[kind]}`,
        }),
        '',
        ...(scores.test && scores.validation ? [`validation accuracy ${percent(scores.validation.accuracy, 2)}`] : []),
        `fitted on ${count(learned.labels.length)} images in ${duration(fitSeconds)}${unreadable.size > 0 ? `; ${plural(unreadable.size, 'unreadable image')} skipped` : ''}`,
        `run     ${folder}`,
      ].join('\n'),
    );
    closeRun(opened);
  } finally {
    reporter.clear();
    interrupt.stop();
    await trunk?.close();
    backend?.close();
    if (ranks.isFirst) await dropIfEmpty(folder);
  }

  /** Shows what is done, says once what would make a long fit shorter, and lets Ctrl-C through. */
  function fitProgress(): FitProgress {
    const begun = performance.now();
    let told = false;
    return async (label, done, total) => {
      const seconds = (performance.now() - begun) / 1000;
      const secondsLeft = (seconds / done) * (total - done);
      if (!told && label !== 'iterations' && secondsLeft > LONG_SECONDS) {
        told = true;
        reporter.note(
          `This takes about ${duration(secondsLeft)}; --limit-train, fewer --trees or --pca make it shorter.`,
        );
      }
      reporter.show({ label, done, total, secondsLeft });
      await new Promise((resolve) => setImmediate(resolve));
    };
  }
}

/** What can be known before the features are there. @throws UsageError */
function checkCounts({ pca, neighbors, classifier }: ClassifierRunSettings, images: number): void {
  if (pca !== undefined && pca > images - 1)
    throw new UsageError(`--pca: ${count(images)} training images have ${count(images - 1)} principal components; ask for fewer than ${pca}.`); // prettier-ignore
  if (classifier === 'knn' && neighbors > images)
    throw new UsageError(`--neighbors: there are ${count(images)} training images, fewer than ${neighbors}.`);
}

function fitText(
  { classifier: kind, pca }: ClassifierRunSettings,
  { labels, width }: Features,
  classes: number,
): string {
  const projected = pca === undefined ? '' : ` projected on ${count(pca)} principal components`;
  const slow = pca !== undefined && labels.length >= width ? ' (finding them takes minutes)' : '';
  return `fitting ${KIND_NAMES[kind]} of ${plural(classes, 'class', 'classes')} on ${count(labels.length)} x ${count(width)} features${projected}${slow}`;
}
