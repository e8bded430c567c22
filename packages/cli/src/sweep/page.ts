// The page of a sweep: bars of the trials' validation accuracy, the ranked table, and links to the runs.
import { chartSection, tableSection, type Bars } from '../report/bench-page.ts';
import client from '../report/client/bench.client.js?raw';
import { escape } from '../report/escape.ts';
import { dateText, pageHtml } from '../report/page.ts';
import { percent } from '../text/format.ts';
import { COLUMNS, pointText, tableRows } from './table.ts';
import { ranked, type SweepState } from './state.ts';

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function sweepPage(state: SweepState, chartJs: string): string {
  const best = ranked(state.trials);
  const chart: Bars = {
    id: 'trials',
    labels: best.map(({ point }) => pointText(point)),
    series: [{ name: 'validation accuracy, %', values: best.map(({ validationAccuracy }) => validationAccuracy === undefined ? null : 100 * validationAccuracy), colours: 'a' }], // prettier-ignore
    axis: 'validation accuracy, %',
    scale: 'linear',
  };
  const link = (folder: string): string => `<a href="${escape(folder)}/report.html">${escape(folder)}</a>`;
  const [first] = best;
  const winner = first
    ? `<section><h2>The best</h2><p>${link(first.folder)}: ${escape(pointText(first.point))}, validation accuracy ${percent(first.validationAccuracy ?? 0, 2)}</p></section>`
    : '';
  const links = `<section><h2>Runs</h2><p>${best.map(({ folder }) => link(folder)).join(', ')}</p></section>`;
  const body = `<header><h1>Sweep</h1><p>${escape(dateText(state.created))}, ${best.length} of ${state.trials.length} trials ended well</p></header>
${winner}
${best.length > 0 ? chartSection('Validation accuracy', chart.id) : ''}
${tableSection('Trials', 'ranked by validation accuracy, then by loss; the test set has no say', COLUMNS, tableRows(state.trials))}
${best.length > 0 ? links : ''}
<section><h2>How it was made</h2><p><code>${escape(state.command)}</code></p></section>
<footer>This page holds everything it shows and asks the network for nothing.</footer>`;
  return pageHtml({ title: 'Sweep', body, data: best.length > 0 ? [chart] : [], scripts: [client] }, chartJs);
}
