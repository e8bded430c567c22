// The page of thaw bench kernels --html: bars by family, and every figure in a table. Self-contained.
import type { FamilySummary, KernelRow } from '@thaw/bench';
import { writeText } from '../runs/folder.ts';
import { milliseconds } from '../text/format.ts';
import { benchPage, chartSection, tableSection, times, wholePercent, type Bars, type Origin } from './bench-page.ts'; // prettier-ignore
import { chartLibrary } from './chart-library.ts';
import { escape } from './escape.ts';

export interface KernelReport extends Origin {
  /** In which activations and filters are stored. */
  readonly precision: string;
  readonly rows: readonly KernelRow[];
  readonly families: readonly FamilySummary[];
  /** Default: of thaw bench kernels. */
  readonly heading?: string;
  /** Sentences about where it was measured. */
  readonly notes?: readonly string[];
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
  const { precision, rows, families, heading = 'Kernels, side by side', notes = [], ...origin } = report;
  const ops = [...new Set(rows.map(({ op }) => op))];
  const sections = [
    ...notes.map((note) => `<p class="note">${escape(note)}</p>`),
    tableSection(
      'Geometric means',
      "Share of the floor: the time that arithmetic or traffic would take at the device's measured ceilings, over the time taken.",
      ['kernel', 'engine', 'cases', 'GFLOP/s', 'of floor', 'Thaw is faster', 'least'],
      families.map(familyCells),
    ),
    ...ops.map((op) => chartSection(TITLES[op], `chart-${op}`)),
    tableSection(
      'Every case',
      '',
      ['case', 'engine', 'ms', 'min to max', 'GFLOP/s', 'GB/s', 'floor ms', 'of floor', 'Thaw is faster'],
      rows.map(rowCells),
    ),
  ];
  const charts = ops.map((op) => chartOf(op, rows));
  return benchPage(
    {
      title: heading,
      heading,
      about: `stored in ${precision}`,
      origin,
      charts,
      sections,
    },
    chartJs,
  );
}

function chartOf(op: KernelRow['op'], rows: readonly KernelRow[]): Bars {
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const names = [...new Set(rows.filter((row) => row.op === op).map((row) => row.case))];
  const median = (name: string, engine: string): number | null =>
    rows.find((row) => row.case === name && row.engine === engine)?.milliseconds.median ?? null;
  return {
    id: `chart-${op}`,
    labels: names.map((name) => name.replace(/^[^,]*, /, '')),
    series: engines.map((engine, i) => ({
      name: engine,
      values: names.map((name) => median(name, engine)),
      colours: ['a', 'b', 'c', 'd'][i] ?? 'soft',
    })),
    axis: 'milliseconds, logarithmic; shorter is faster',
    scale: 'logarithmic',
  };
}

const familyCells = (one: FamilySummary): string[] => [
  TITLES[one.op],
  one.engine,
  String(one.cases),
  one.gflops.toFixed(1),
  wholePercent(one.shareOfFloor),
  times(one.ratio),
  times(one.least),
];

const rowCells = (row: KernelRow): string[] => [
  row.case,
  row.engine,
  milliseconds(row.milliseconds.median),
  `${milliseconds(row.milliseconds.min)} to ${milliseconds(row.milliseconds.max)}`,
  row.gflops.toFixed(1),
  row.gigabytesPerSecond.toFixed(1),
  milliseconds(row.floorMilliseconds),
  wholePercent(row.floorMilliseconds / row.milliseconds.median),
  times(row.ratio),
];
