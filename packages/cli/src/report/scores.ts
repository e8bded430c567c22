// The report's confusion matrices, as heat maps, and its table of scores by class.
import { count, percent, score } from '../text/format.ts';
import { escape } from './escape.ts';
import type { MethodReport } from './types.ts';

/** With more classes than this, cells carry no numbers and rows no names. */
const MANY = 24;

export function confusionSection(methods: readonly MethodReport[]): string {
  return `<section>
<h2>Confusion</h2>
<p>Rows are the true classes, columns what the network said. The diagonal is what it got right; a strong cell beside it is a habit.</p>
<div class="columns" style="--n:${methods.length}">
${methods.map((method, i) => `<div class="panel k${i % 4}">${methods.length > 1 ? `<h3><span class="key"></span>${escape(method.name)}</h3>` : ''}${matrix(method)}</div>`).join('\n')}
</div>
</section>`;
}

function matrix({ classes, confusion }: MethodReport): string {
  const many = classes.length > MANY;
  // A miss is rarer than a hit: its colour reaches full strength at the worst miss, never before a tenth of a row.
  const shares = confusion.map((row) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (total === 0 ? 0 : value / total));
  });
  const worst = Math.max(0.1, ...shares.flatMap((row, i) => row.filter((_, j) => i !== j)));
  const head = many
    ? ''
    : `<span></span>${classes.map((name) => `<span class="column">${escape(name)}</span>`).join('')}`;
  const rows = confusion.map((row, i) => {
    const cells = row.map((value, j) => {
      const share = shares[i]?.[j] ?? 0;
      const strength = i === j ? share : (share / worst) * 0.85;
      const what =
        i === j
          ? `${classes[i] ?? ''}: ${count(value)} right (${percent(share)})`
          : `${classes[i] ?? ''} taken for ${classes[j] ?? ''}: ${count(value)} (${percent(share)})`;
      return `<span class="cell${strength > 0.66 ? ' strong' : ''}" style="background:rgb(var(--${i === j ? 'hit' : 'miss'}) / ${(0.04 + 0.96 * strength).toFixed(3)})" title="${escape(what)}">${many || value === 0 ? '' : count(value)}</span>`;
    });
    return (
      (many ? '' : `<span class="row" title="${escape(classes[i] ?? '')}">${escape(classes[i] ?? '')}</span>`) +
      cells.join('')
    );
  });
  return `<div class="matrix${many ? ' many' : ''}" style="--classes:${classes.length}">${head}${rows.join('')}</div>${many ? '<p class="axis">Point at a cell to read it.</p>' : ''}`;
}

export function perClassSection(methods: readonly MethodReport[]): string {
  const classes = methods[0]?.classes ?? [];
  const several = methods.length > 1;
  const over = several
    ? `<tr class="over"><th></th>${methods.map(({ name }, i) => `<th colspan="3" class="k${i % 4}">${escape(name)}</th>`).join('')}<th></th></tr>`
    : '';
  const heads = methods.map(() => '<th>precision</th><th>recall</th><th>F1</th>').join('');
  const rows = classes.map((name, c) => {
    const best = Math.max(...methods.map(({ perClass }) => perClass[c]?.f1 ?? 0));
    const cells = methods.map(({ perClass }, i) => {
      const { precision, recall, f1 } = perClass[c] ?? { precision: NaN, recall: NaN, f1: NaN };
      return `<td>${score(precision)}</td><td>${score(recall)}</td><td class="meter k${i % 4}${several && f1 === best ? ' better' : ''}">${score(f1)}<span style="--share:${percentOf(f1)}"></span></td>`;
    });
    return `<tr><th scope="row">${escape(name)}</th>${cells.join('')}<td>${count(methods[0]?.perClass[c]?.support ?? 0)}</td></tr>`;
  });
  const mean = methods
    .map(
      ({ macroF1 }, i) =>
        `<td></td><td></td><td class="meter k${i % 4}"><b>${score(macroF1)}</b><span style="--share:${percentOf(macroF1)}"></span></td>`,
    )
    .join('');
  return `<section>
<h2>By class</h2>
<p>Precision: of what was called so, how much was. Recall: of what is so, how much was found. F1 is their harmonic mean; macro-F1 the mean over classes.</p>
<div class="panel scroll"><table><thead>${over}<tr><th>class</th>${heads}<th>images</th></tr></thead>
<tbody>${rows.join('')}<tr><th scope="row">mean</th>${mean}<td>${count(methods[0]?.images ?? 0)}</td></tr></tbody></table></div>
</section>`;
}

const percentOf = (share: number): string => `${(100 * (Number.isFinite(share) ? share : 0)).toFixed(1)}%`;
