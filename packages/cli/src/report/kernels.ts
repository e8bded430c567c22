// The page of thaw bench kernels --html: bars by family, and every figure in a table. Self-contained.
import type { Ceilings, FamilySummary, KernelRow } from '@thaw/bench';
import { writeText } from '../runs/folder.ts';
import type { DeviceInfo } from '../session/backend.ts';
import { escape, scriptJson } from './escape.ts';
import client from './kernels.client.js?raw';
import { chartLibrary } from './chart-library.ts';
import css from './report.css?raw';

export interface KernelReport {
  readonly device: DeviceInfo;
  readonly versions: Readonly<Record<string, string>>;
  readonly commandLine: string;
  readonly created: Date;
  readonly ceilings: Ceilings;
  readonly rows: readonly KernelRow[];
  readonly families: readonly FamilySummary[];
}

export async function writeKernelReport(path: string, report: KernelReport): Promise<void> {
  await writeText(path, kernelReportHtml(report, await chartLibrary()));
}

const TITLES: Readonly<Record<KernelRow['op'], string>> = {
  conv2d: 'Convolution, forward',
  'conv2d-backward-input': 'Convolution, gradient of the input',
  'conv2d-backward-filter': 'Convolution, gradient of the filter',
  'batch-norm-train': 'Batch-norm in training, forward and backward',
  dense: 'Dense layer',
  adam: 'Adam',
};

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function kernelReportHtml(report: KernelReport, chartJs: string): string {
  const { device, versions, commandLine, created, ceilings, rows, families } = report;
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const ops = [...new Set(rows.map(({ op }) => op))];
  const cases = ops.map((op) => {
    const names = [...new Set(rows.filter((row) => row.op === op).map((row) => row.case))];
    const median = (name: string, engine: string): number | null =>
      rows.find((row) => row.case === name && row.engine === engine)?.milliseconds.median ?? null;
    return {
      id: `chart-${op}`,
      labels: names.map((name) => name.replace(/^[^,]*, /, '')),
      series: engines.map((engine) => names.map((name) => median(name, engine))),
    };
  });
  const date = created.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
  const about = `${date}, on ${device.name}, ${device.driver}; measured ceilings ${(ceilings.flops / 1e9).toFixed(0)} GFLOP/s and ${(ceilings.bytesPerSecond / 1e9).toFixed(1)} GB/s`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>thaw bench kernels</title>
<style>${css}</style>
</head>
<body>
<main>
<header><h1>Kernels, side by side</h1><p>${escape(about)}</p></header>
<section><h2>Geometric means</h2><p>Share of the floor: the time that arithmetic or traffic would take at the device's measured ceilings, over the time taken.</p>
${figureTable(['kernel', 'engine', 'cases', 'GFLOP/s', 'of floor', 'Thaw is faster', 'least'], families.map(familyCells))}
</section>
${ops.map((op) => `<section><h2>${escape(TITLES[op])}</h2><div class="chart"><canvas id="chart-${op}"></canvas></div></section>`).join('\n')}
<section><h2>Every case</h2>
${figureTable(['case', 'engine', 'ms', 'min to max', 'GFLOP/s', 'GB/s', 'floor ms', 'of floor', 'Thaw is faster'], rows.map(rowCells))}
</section>
<section><h2>Origin</h2><p><code>${escape(commandLine)}</code></p><p>${escape(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  )}</p></section>
<footer>This page holds everything it shows and asks the network for nothing.</footer>
</main>
<script type="application/json" id="data">${scriptJson({ cases, engines })}</script>
<script>${chartJs}</script>
<script>${client}</script>
</body>
</html>
`;
}

const times = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} ×`);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const familyCells = (one: FamilySummary): string[] => [
  TITLES[one.op],
  one.engine,
  String(one.cases),
  one.gflops.toFixed(1),
  percent(one.shareOfFloor),
  times(one.ratio),
  times(one.least),
];

const rowCells = (row: KernelRow): string[] => [
  row.case,
  row.engine,
  row.milliseconds.median.toFixed(2),
  `${row.milliseconds.min.toFixed(2)} to ${row.milliseconds.max.toFixed(2)}`,
  row.gflops.toFixed(1),
  row.gigabytesPerSecond.toFixed(1),
  row.floorMilliseconds.toFixed(2),
  percent(row.floorMilliseconds / row.milliseconds.median),
  times(row.ratio),
];

function figureTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (tag: 'td' | 'th', text: string): string => `<${tag}>${escape(text)}</${tag}>`;
  const line = (tag: 'td' | 'th', cells: readonly string[]): string =>
    `<tr>${cells.map((text) => cell(tag, text)).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${line('th', titles)}</thead><tbody>${rows.map((row) => line('td', row)).join('\n')}</tbody></table></div>`;
}
