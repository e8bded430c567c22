// What the pages of the benchmarks have in common: charts of bars, tables of figures, and what they were made with.
import type { Ceilings } from '@thaw/bench';
import type { DeviceInfo } from '../session/backend.ts';
import client from './client/bench.client.js?raw';
import { escape } from './escape.ts';
import { dateText, pageHtml, versionsText } from './page.ts';

/** Enough to measure again. */
export interface Origin {
  readonly device: DeviceInfo;
  readonly versions: Readonly<Record<string, string>>;
  readonly commandLine: string;
  /** As toISOString() gives it. */
  readonly created: string;
  readonly ceilings: Ceilings;
}

/** Bars that lie, a group for each label. */
export interface Bars {
  readonly id: string;
  readonly labels: readonly string[];
  readonly series: readonly {
    readonly name: string;
    /** One for each label; null where there is none. */
    readonly values: readonly (number | null)[];
    /** Names of colours in the style sheet, for all bars or for each. */
    readonly colours: string | readonly string[];
  }[];
  readonly axis: string;
  readonly scale: 'linear' | 'logarithmic';
}

export interface BenchPage {
  readonly title: string;
  readonly heading: string;
  /** Beside day, device and ceilings. */
  readonly about?: string;
  readonly origin: Origin;
  readonly charts: readonly Bars[];
  /** HTML. */
  readonly sections: readonly string[];
}

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function benchPage({ title, heading, about, origin, charts, sections }: BenchPage, chartJs: string): string {
  const { device, versions, commandLine, created, ceilings } = origin;
  const { flops, bytesPerSecond } = ceilings;
  const where =
    `${dateText(created)}, on ${[...new Set([device.name, device.driver])].join(', ')}${about === undefined ? '' : `; ${about}`}; measured ceilings ` +
    `${(flops / 1e9).toFixed(0)} GFLOP/s and ${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;
  const body = `<header><h1>${escape(heading)}</h1><p>${escape(where)}</p></header>
${sections.join('\n')}
<section><h2>How it was made</h2><p><code>${escape(commandLine)}</code></p><p>${escape(versionsText(versions))}</p></section>
<footer>This page holds everything it shows and asks the network for nothing.</footer>`;
  return pageHtml({ title, body, data: charts, scripts: [client] }, chartJs);
}

/** @param about a sentence or two below the title */
export const chartSection = (title: string, id: string, about = ''): string =>
  `<section><h2>${escape(title)}</h2>${about && `<p>${escape(about)}</p>`}<div class="chart"><canvas id="${escape(id)}"></canvas></div></section>`;

export function tableSection(
  title: string,
  about: string,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cell = (tag: 'td' | 'th', text: string): string => `<${tag}>${escape(text)}</${tag}>`;
  const line = (tag: 'td' | 'th', cells: readonly string[]): string =>
    `<tr>${cells.map((text) => cell(tag, text)).join('')}</tr>`;
  return `<section><h2>${escape(title)}</h2>${about && `<p>${escape(about)}</p>`}
<div class="scroll"><table><thead>${line('th', titles)}</thead><tbody>${rows.map((row) => line('td', row)).join('\n')}</tbody></table></div></section>`;
}

export const times = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} ×`);
export const wholePercent = (share: number): string => `${(100 * share).toFixed(0)} %`;
