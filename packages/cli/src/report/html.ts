// The report as one self-contained page.
import { count, duration, percent, score } from '../text/format.ts';
import calibrationClient from './client/calibration.client.js?raw';
import confusionClient from './client/confusion.client.js?raw';
import curvesClient from './client/curves.client.js?raw';
import sortClient from './client/sort.client.js?raw';
import { escape } from './escape.ts';
import { dateText, facts, pageHtml, versionsText } from './page.ts';
import { calibrationSection, confusionSection, panels, perClassSection } from './scores.ts';
import type { ExampleImage, MethodReport, Report } from './types.ts';

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function reportHtml(report: Report, chartJs: string): string {
  const { title, notes, environment, methods } = report;
  const body = `<header>
<h1>${escape(title)}</h1>
<p>${escape(`${dateText(environment.created)}, on ${environment.device.name}`)}</p>
${notes.map((note) => `<p class="note">${escape(note)}</p>`).join('\n')}
</header>
<section class="verdicts columns" style="--n:${methods.length}">
${methods.map(verdict).join('\n')}
</section>
${curvesSection(methods.map(({ name }) => name))}
${confusionSection(methods)}
${perClassSection(methods)}
${examplesSection(methods)}
${calibrationSection(methods)}
${trainedSection(methods)}
${originSection(report)}
<footer>Made by Thaw ${escape(environment.versions['thaw'] ?? '')}. This page holds everything it shows and asks the network for nothing.</footer>`;
  const data = {
    curves: methods.map(({ name, history }) => ({ name, history })),
    confusion: methods.map(({ classes, confusion }) => ({ classes, confusion })),
    calibration: methods.flatMap(({ name, calibration }, key) =>
      calibration ? [{ name, key, bins: calibration.bins }] : [],
    ),
  };
  const scripts = [curvesClient, confusionClient, sortClient, calibrationClient];
  return pageHtml({ title, body, data, scripts }, chartJs);
}

function verdict(method: MethodReport, i: number): string {
  const { name, about, macroF1, accuracy, evaluatedOn, images, trainImages, history, seconds } = method;
  const figure = (value: string, label: string, main = false): string =>
    `<div${main ? ' class="main"' : ''}><dt>${escape(label)}</dt><dd>${escape(value)}</dd></div>`;
  return `<div class="panel verdict k${i % 6}">
<h3><span class="key"></span>${escape(name)}</h3>
<p>${escape(about)}</p>
<dl class="figures">
${figure(score(macroF1), `macro-F1 on ${count(images)} ${evaluatedOn} images`, true)}
${figure(percent(accuracy), 'accuracy', true)}
</dl>
<dl class="figures" style="margin-top:18px">
${figure(count(trainImages), 'training images')}
${figure(String(history.length), 'epochs')}
${figure(duration(seconds), 'time')}
</dl>
</div>`;
}

/** The charts of the histories in the page's data. @param names of the methods or runs */
export function curvesSection(names: readonly string[]): string {
  const legend = names
    .map((name, i) => {
      const prefix = names.length > 1 ? `${name}, ` : '';
      return `<span class="k${i % 6}"><i></i>${escape(prefix)}validation</span><span class="k${i % 6}"><i class="dashed"></i>${escape(prefix)}training</span>`;
    })
    .join('');
  const chart = (id: string, title: string): string =>
    `<div class="panel"><h3>${title}</h3><div class="chart"><canvas id="${id}" role="img" aria-label="${title} by epoch"></canvas></div></div>`;
  return `<section>
<h2>Learning curves</h2>
<p>Solid lines are the held-out validation images, dotted lines the training images as they were seen.</p>
<div class="legend">${legend}</div>
<div class="columns curves" style="--n:2">
${chart('loss', 'Loss')}
${chart('accuracy', 'Accuracy')}
${chart('learning-rate', 'Learning rate')}
${chart('throughput', 'Training images a second')}
</div>
</section>`;
}

function examplesSection(methods: readonly MethodReport[]): string {
  const shown = methods.flatMap(({ examples }) => examples ?? []);
  if (shown.every(({ right, wrong }) => right.length + wrong.length === 0)) return '';
  const layers = [...new Set(shown.flatMap(({ heatOf }) => heatOf ?? []))];
  const look =
    layers.length === 0
      ? ''
      : `<p class="controls"><label><input type="checkbox" id="heat" checked> Show where it looked</label>
<span>Grad-CAM of the class it named, from the output of ${escape(layers.join('; '))} positions.</span></p>`;
  const grid = (images: readonly ExampleImage[], kind: 'right' | 'wrong', title: string): string =>
    images.length === 0
      ? ''
      : `<p class="sub">${title}</p><div class="examples ${kind}">${images.map((image) => example(image, kind)).join('')}</div>`;
  return `<section class="looks">
<h2>Examples</h2>
<p>The mistakes that the network was surest of, and one image of each class that it recognised.</p>
${look}
${panels(methods, ({ examples }) => (examples ? `${grid(examples.wrong, 'wrong', 'Wrong')}${grid(examples.right, 'right', 'Right')}` : ''))}
</section>`;
}

function example({ src, actual, predicted, confidence, where, heat }: ExampleImage, kind: 'right' | 'wrong'): string {
  const crisp = src.startsWith('data:image/png') ? ' class="crisp"' : '';
  const truth = kind === 'wrong' ? `<span>is ${escape(actual)}</span>` : '';
  const over = heat === undefined ? '' : `<img class="heat" src="${heat}" alt="">`;
  return `<figure title="${escape(where)}"><div class="picture"><img${crisp} src="${src}" alt="${escape(actual)}">${over}</div><figcaption><b>${escape(predicted)}</b> ${percent(confidence, 0)}${truth}</figcaption></figure>`;
}

function trainedSection(methods: readonly MethodReport[]): string {
  const table = ({ groups, settings, measured }: MethodReport): string => {
    const rows = groups.map(
      (group) =>
        `<tr><th scope="row">${escape(group.name)}</th><td>${group.trains === 'none' ? 'frozen' : group.trains === 'all' ? '<b>trains</b>' : 'in part'}</td><td>${escape(group.batchNorm)}</td><td>${count(group.parameters)}</td><td>${count(group.trainable)}</td></tr>`,
    );
    return `<div class="scroll"><table><thead><tr><th>layers</th><th>state</th><th>batch-norm</th><th>parameters</th><th>trainable</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<dl class="facts" style="margin-top:18px">${facts(settings)}${facts(measured)}</dl>`;
  };
  return `<section><h2>What was trained</h2><p>Trainable parameters are those the optimizer changes; the others keep their ImageNet values.</p>${panels(methods, table)}</section>`;
}

function originSection({ environment }: Report): string {
  const { device, versions, command, created, hashes } = environment;
  return `<section><h2>How it was made</h2><p>Enough to do it again.</p><div class="panel"><dl class="facts">
<dt>Command</dt><dd><code>${escape(command)}</code></dd>
${facts([
  ['Date', created],
  ['Device', `${device.name}${device.isSoftware ? ' (a processor, no GPU)' : ''}`],
  ['Driver', device.driver || 'not told'],
  ['Backend', device.backend === 'thaw' ? 'thaw (WebGPU)' : device.backend],
  ['Versions', versionsText(versions)],
])}
${hashes.map(([label, hash]) => `<dt>${escape(label)}</dt><dd><code>${escape(hash)}</code></dd>`).join('\n')}
</dl></div></section>`;
}
