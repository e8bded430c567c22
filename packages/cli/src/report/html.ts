// The report as one self-contained page: no request leaves it.
import { count, duration, percent, score } from '../text/format.ts';
import { escape, scriptJson } from './escape.ts';
import client from './report.client.js?raw';
import css from './report.css?raw';
import { confusionSection, perClassSection } from './scores.ts';
import type { ExampleImage, MethodReport, Report } from './types.ts';

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function reportHtml(report: Report, chartJs: string): string {
  const { title, notes, environment, methods } = report;
  const date = new Date(environment.created).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
  const curves = methods.map(({ name, history }) => ({ name, history }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escape(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<header>
<h1>${escape(title)}</h1>
<p>${escape(`${date}, on ${environment.device.name}`)}</p>
${notes.map((note) => `<p class="note">${escape(note)}</p>`).join('\n')}
</header>
<section class="verdicts columns" style="--n:${methods.length}">
${methods.map(verdict).join('\n')}
</section>
${curvesSection(methods)}
${confusionSection(methods)}
${perClassSection(methods)}
${examplesSection(methods)}
${trainedSection(methods)}
${originSection(report)}
<footer>Made by Thaw ${escape(environment.versions['thaw'] ?? '')}. This page holds everything it shows and asks the network for nothing.</footer>
</main>
<script type="application/json" id="data">${scriptJson(curves)}</script>
<script>${chartJs}</script>
<script>${client}</script>
</body>
</html>
`;
}

function verdict(method: MethodReport, i: number): string {
  const { name, about, macroF1, accuracy, evaluatedOn, images, trainImages, history, seconds } = method;
  const figure = (value: string, label: string, main = false): string =>
    `<div${main ? ' class="main"' : ''}><dt>${escape(label)}</dt><dd>${escape(value)}</dd></div>`;
  return `<div class="panel verdict k${i % 4}">
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

function curvesSection(methods: readonly MethodReport[]): string {
  const legend = methods
    .map(({ name }, i) => {
      const prefix = methods.length > 1 ? `${name}, ` : '';
      return `<span class="k${i % 4}"><i></i>${escape(prefix)}validation</span><span class="k${i % 4}"><i class="dashed"></i>${escape(prefix)}training</span>`;
    })
    .join('');
  return `<section>
<h2>Learning curves</h2>
<p>Solid lines are the held-out validation images, dotted lines the training images as they were seen.</p>
<div class="legend">${legend}</div>
<div class="columns" style="--n:2">
<div class="panel"><h3>Loss</h3><div class="chart"><canvas id="loss" role="img" aria-label="loss by epoch"></canvas></div></div>
<div class="panel"><h3>Accuracy</h3><div class="chart"><canvas id="accuracy" role="img" aria-label="accuracy by epoch"></canvas></div></div>
</div>
</section>`;
}

function examplesSection(methods: readonly MethodReport[]): string {
  if (methods.every(({ right, wrong }) => right.length + wrong.length === 0)) return '';
  const grid = (images: readonly ExampleImage[], kind: 'right' | 'wrong', title: string): string =>
    images.length === 0
      ? ''
      : `<p class="sub">${title}</p><div class="examples ${kind}">${images.map((image) => example(image, kind)).join('')}</div>`;
  return `<section>
<h2>Examples</h2>
<p>One image of each class that was recognised, and the mistakes the network was surest of.</p>
<div class="columns" style="--n:${methods.length}">
${methods.map(({ name, right, wrong }, i) => `<div class="panel k${i % 4}">${methods.length > 1 ? `<h3><span class="key"></span>${escape(name)}</h3>` : ''}${grid(right, 'right', 'Right')}${grid(wrong, 'wrong', 'Wrong')}</div>`).join('\n')}
</div>
</section>`;
}

function example({ src, actual, predicted, confidence, where }: ExampleImage, kind: 'right' | 'wrong'): string {
  const crisp = src.startsWith('data:image/png') ? ' class="crisp"' : '';
  const truth = kind === 'wrong' ? `<span>is ${escape(actual)}</span>` : '';
  return `<figure title="${escape(where)}"><img${crisp} src="${src}" alt="${escape(actual)}"><figcaption><b>${escape(predicted)}</b> ${percent(confidence, 0)}${truth}</figcaption></figure>`;
}

function trainedSection(methods: readonly MethodReport[]): string {
  const tables = methods.map(({ name, groups, settings, measured }, i) => {
    const rows = groups.map(
      (group) =>
        `<tr><th scope="row">${escape(group.name)}</th><td>${group.trains === 'none' ? 'frozen' : group.trains === 'all' ? '<b>trains</b>' : 'in part'}</td><td>${count(group.parameters)}</td><td>${count(group.trainable)}</td></tr>`,
    );
    return `<div class="panel k${i % 4}">${methods.length > 1 ? `<h3><span class="key"></span>${escape(name)}</h3>` : ''}
<div class="scroll"><table><thead><tr><th>layers</th><th>state</th><th>parameters</th><th>trainable</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<dl class="facts" style="margin-top:18px">${facts(settings)}${facts(measured)}</dl></div>`;
  });
  return `<section><h2>What was trained</h2><p>Trainable parameters are those the optimizer changes; the others keep their ImageNet values.</p><div class="columns" style="--n:${methods.length}">${tables.join('\n')}</div></section>`;
}

function originSection({ environment }: Report): string {
  const { device, versions, command } = environment;
  return `<section><h2>How it was made</h2><p>Enough to do it again.</p><div class="panel"><dl class="facts">
<dt>Command</dt><dd><code>${escape(command)}</code></dd>
<dt>Device</dt><dd>${escape(device.name)}${device.isSoftware ? ' (a processor, no GPU)' : ''}</dd>
<dt>Driver</dt><dd>${escape(device.driver || 'not told')}</dd>
<dt>Backend</dt><dd>${escape(device.backend === 'thaw' ? 'thaw (WebGPU)' : device.backend)}</dd>
<dt>Versions</dt><dd>${escape(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  )}</dd>
</dl></div></section>`;
}

const facts = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([label, value]) => `<dt>${escape(label)}</dt><dd>${escape(value)}</dd>`).join('');
