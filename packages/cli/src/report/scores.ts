// The report's confusion matrices, its table of scores by class and its reliability diagram.
import { count, percent, score } from '../text/format.ts';
import { escape } from './escape.ts';
import type { MethodReport } from './types.ts';

/** A panel for each method; several are named. */
export function panels(methods: readonly MethodReport[], inner: (method: MethodReport) => string): string {
  const panel = (method: MethodReport, i: number): string =>
    `<div class="panel k${i % 6}">${methods.length > 1 ? `<h3><span class="key"></span>${escape(method.name)}</h3>` : ''}${inner(method)}</div>`;
  return `<div class="columns" style="--n:${methods.length}">\n${methods.map(panel).join('\n')}\n</div>`;
}

/** Drawn by the page's script. */
export function confusionSection(methods: readonly MethodReport[]): string {
  const options = (words: readonly (readonly [string, string])[]): string =>
    words.map(([value, word]) => `<option value="${value}">${word}</option>`).join('');
  const controls = `<p class="controls"><label>Order <select data-sort>${options([
    ['given', 'as given'],
    ['name', 'by name'],
    ['support', 'by images'],
    ['errors', 'by errors'],
  ])}</select></label><label>Show <select data-normalise>${options([
    ['none', 'images'],
    ['row', '% of the true class'],
    ['column', '% of the predicted class'],
  ])}</select></label></p>`;
  return `<section id="confusion">
<h2>Confusion</h2>
<p>Rows are the true classes, columns what the network said. The diagonal is what it got right; a strong cell beside it is a habit.</p>
${panels(methods, () => `<div class="confusion">${controls}<div class="matrix"></div><output class="axis">Point at a cell to read it.</output></div>`)}
</section>`;
}

export function perClassSection(methods: readonly MethodReport[]): string {
  const classes = methods[0]?.classes ?? [];
  const several = methods.length > 1;
  const over = several
    ? `<tr class="over"><th></th>${methods.map(({ name }, i) => `<th colspan="3" class="k${i % 6}">${escape(name)}</th>`).join('')}<th></th></tr>`
    : '';
  const head = (word: string): string => `<th aria-sort="none"><button type="button">${word}</button></th>`;
  const heads = methods.map(() => head('precision') + head('recall') + head('F1')).join('');
  const cell = (value: number): string => `<td data-value="${value}">${score(value)}</td>`;
  const rows = classes.map((name, c) => {
    const best = Math.max(...methods.map(({ perClass }) => perClass[c]?.f1 ?? 0));
    const cells = methods.map(({ perClass }, i) => {
      const { precision, recall, f1 } = perClass[c] ?? { precision: NaN, recall: NaN, f1: NaN };
      return `${cell(precision)}${cell(recall)}<td data-value="${f1}" class="meter k${i % 6}${several && f1 === best ? ' better' : ''}">${score(f1)}<span style="--share:${percentOf(f1)}"></span></td>`;
    });
    const support = methods[0]?.perClass[c]?.support ?? 0;
    return `<tr><th scope="row">${escape(name)}</th>${cells.join('')}<td data-value="${support}">${count(support)}</td></tr>`;
  });
  const mean = methods
    .map(
      ({ macroF1 }, i) =>
        `<td></td><td></td><td class="meter k${i % 6}"><b>${score(macroF1)}</b><span style="--share:${percentOf(macroF1)}"></span></td>`,
    )
    .join('');
  return `<section>
<h2>By class</h2>
<p>Precision: of what was called so, how much was. Recall: of what is so, how much was found. F1 is their harmonic mean; macro-F1 the mean over classes. A heading sorts.</p>
<div class="panel scroll"><table class="sortable" id="classes"><thead>${over}<tr>${head('class')}${heads}${head('images')}</tr></thead>
<tbody>${rows.join('')}</tbody><tfoot><tr><th scope="row">mean</th>${mean}<td>${count(methods[0]?.images ?? 0)}</td></tr></tfoot></table></div>
</section>`;
}

const percentOf = (share: number): string => `${(100 * (Number.isFinite(share) ? share : 0)).toFixed(1)}%`;

/** Drawn by the page's script; nothing where no method has bins. */
export function calibrationSection(methods: readonly MethodReport[]): string {
  const errors = methods.flatMap(({ name, calibration }, i) =>
    calibration
      ? [
          `<span class="k${i % 6}"><i></i>${escape(methods.length > 1 ? `${name}: ` : '')}expected calibration error ${percent(calibration.expectedError)}</span>`,
        ]
      : [],
  );
  if (errors.length === 0) return '';
  return `<section>
<h2>Calibration</h2>
<p>How often the network is right (up) when it is so sure (right); a point's size is its share of the images. On the dashed line its confidence can be taken at its word; below, it is surer than it should be.</p>
<div class="legend">${errors.join('')}</div>
<div class="panel"><div class="chart square"><canvas id="calibration" role="img" aria-label="accuracy by confidence"></canvas></div></div>
</section>`;
}
