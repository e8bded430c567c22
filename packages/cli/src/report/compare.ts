// One page for several runs: curves over each other, scores, and the settings in which they differ.
import type { EpochRecord } from '@thaw/model';
import { flagOf, isSetting } from '../options/settings.ts';
import type { RunConfig } from '../runs/config.ts';
import type { RunSummary } from '../runs/summary.ts';
import { count, duration, percent, score } from '../text/format.ts';
import curvesClient from './client/curves.client.js?raw';
import sortClient from './client/sort.client.js?raw';
import { escape } from './escape.ts';
import { curvesSection } from './html.ts';
import { dateText, pageHtml } from './page.ts';

export interface ComparedRun {
  readonly name: string;
  readonly config: RunConfig;
  /** Undefined for a run that did not end. */
  readonly summary: RunSummary | undefined;
  readonly history: readonly EpochRecord[];
}

/** The settings that are not the same in all runs: name and value of each run, "" where it has none. */
export function differences(runs: readonly ComparedRun[]): { name: string; values: string[] }[] {
  const all = runs.map(({ config }) => settingsOf(config));
  const names = [...new Set(all.flatMap((settings) => Object.keys(settings)))];
  return names.flatMap((name) => {
    const values = all.map((settings) => settings[name] ?? '');
    return new Set(values).size === 1 ? [] : [{ name: isSetting(name) ? flagOf(name) : name, values }];
  });
}

function settingsOf({ settings, weights, network, data }: RunConfig): Record<string, string> {
  const { thaw, batchNorm, imageSize, head, seed, precision } = network;
  const known = { ...settings, weights: weights.source, thaw, batchNorm, imageSize, head, seed, precision };
  const sizes = { 'training images': count(data.train), 'validation images': count(data.validation), 'test images': count(data.test) }; // prettier-ignore
  return {
    ...Object.fromEntries(Object.entries(known).map(([name, value]) => [name, String(value)])),
    ...sizes,
  };
}

/** Why scores of these runs cannot be set beside each other; undefined where they can. */
export function comparisonNote(runs: readonly ComparedRun[]): string | undefined {
  const measuredOn = runs.flatMap(({ config: { data }, summary }) =>
    summary ? [`${data.name}, ${summary.evaluatedOn}, ${data.hashes?.[summary.evaluatedOn === 'test' ? 'test' : 'validation'] ?? summary.images}`] : [],
  ); // prettier-ignore
  return new Set(measuredOn).size > 1
    ? 'These runs were not measured on the same images; their scores cannot be compared one to one.'
    : undefined;
}

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function compareHtml(runs: readonly ComparedRun[], chartJs: string): string {
  const note = comparisonNote(runs);
  const title = `${count(runs.length)} runs compared`;
  const body = `<header>
<h1>${title}</h1>
<p>${escape([...new Set(runs.map(({ config }) => config.data.name))].join(', '))}</p>
${note === undefined ? '' : `<p class="note">${escape(note)}</p>`}
</header>
${scoresSection(runs)}
${curvesSection(runs.map(({ name }) => name))}
${differencesSection(runs)}
<footer>This page holds everything it shows and asks the network for nothing.</footer>`;
  const curves = runs.map(({ name, history }) => ({ name, history }));
  return pageHtml({ title, body, data: { curves }, scripts: [curvesClient, sortClient] }, chartJs);
}

function scoresSection(runs: readonly ComparedRun[]): string {
  const best = Math.max(...runs.map(({ summary }) => summary?.macroF1 ?? 0));
  const head = (word: string): string => `<th aria-sort="none"><button type="button">${word}</button></th>`;
  const cell = (text: string, value: number | string = text): string =>
    `<td data-value="${escape(String(value))}">${escape(text)}</td>`;
  const rows = runs.map(({ name, config, summary, history }, i) => {
    const label = `<th scope="row"><span class="key k${i % 6}"></span> ${escape(name)}</th>`;
    const when = cell(dateText(config.created), config.created);
    if (!summary)
      return `<tr>${label}${cell('did not end', -1)}${cell('', -1)}${cell('', -1)}${cell('', -1)}${cell(count(history.length), history.length)}${cell('', -1)}${cell(config.device.name)}${when}</tr>`;
    const { macroF1, accuracy, loss, calibration, epochs, seconds } = summary;
    return `<tr${macroF1 === best ? ' class="better"' : ''}>${label}${cell(score(macroF1), macroF1)}${cell(percent(accuracy), accuracy)}${cell(loss.toFixed(4), loss)}${calibration ? cell(percent(calibration.expectedError), calibration.expectedError) : cell('', -1)}${cell(count(epochs), epochs)}${cell(duration(seconds), seconds)}${cell(config.device.name)}${when}</tr>`;
  });
  const heads = ['run', 'macro-F1', 'accuracy', 'loss', 'calibration error', 'epochs', 'time', 'device', 'begun'];
  return `<section><h2>Scores</h2><p>The best macro-F1 is in bold. A heading sorts.</p>
<div class="panel scroll"><table class="sortable" id="scores"><thead><tr>${heads.map(head).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

function differencesSection(runs: readonly ComparedRun[]): string {
  const rows = differences(runs).map(
    ({ name, values }) =>
      `<tr><th scope="row"><code>${escape(name)}</code></th>${values.map((value) => `<td>${escape(value)}</td>`).join('')}</tr>`,
  );
  const heads = runs.map(({ name }, i) => `<th><span class="key k${i % 6}"></span> ${escape(name)}</th>`);
  const table =
    rows.length === 0
      ? '<p>All settings are the same.</p>'
      : `<div class="scroll"><table id="differences"><thead><tr><th>setting</th>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
  return `<section><h2>What was different</h2><p>Settings that all runs share are left out.</p><div class="panel">${table}</div></section>`;
}
