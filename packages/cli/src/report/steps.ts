// The page of thaw bench step --html: a chart for each case, every engine in it, and every figure in a table.
import { writeText } from '../runs/folder.ts';
import { bytes, count, milliseconds, rate } from '../text/format.ts';
import { benchPage, chartSection, tableSection, times, wholePercent, type Bars, type Origin } from './bench-page.ts'; // prettier-ignore
import { chartLibrary } from './chart-library.ts';

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A case in an engine, measured here or elsewhere. */
export interface StepFigures {
  readonly case: string;
  readonly engine: string;
  readonly milliseconds: Spread;
  readonly imagesPerSecond: number;
  readonly floorMilliseconds?: number | undefined;
  readonly hostMilliseconds?: Spread | undefined;
  readonly dispatches?: number | undefined;
  readonly peakBytes?: number | undefined;
  /** How often faster Thaw is. */
  readonly ratio?: number | undefined;
}

export interface StepReport extends Origin {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly precision: string;
  /** What each case is. */
  readonly cases: readonly { readonly name: string; readonly about: string }[];
  readonly rows: readonly StepFigures[];
  /** Where rows that were not measured here come from. */
  readonly others?: string | undefined;
}

export async function writeStepReport(path: string, report: StepReport): Promise<void> {
  await writeText(path, stepReportHtml(report, await chartLibrary()));
}

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function stepReportHtml(report: StepReport, chartJs: string): string {
  const { imageSize, batchSize, precision, cases, rows, others, ...origin } = report;
  const sections = [
    ...cases.map(({ name, about }) => chartSection(name, `chart-${name}`, about)),
    tableSection(
      'Every figure',
      "The floor is what the step's arithmetic or traffic would take at the device's measured ceilings. Host: time in " +
        `JavaScript to record, encode and submit a step.${others === undefined ? '' : ` ${others}`}`,
      ['case', 'engine', 'ms', 'min to max', 'images/s', 'floor ms', 'of floor', 'Thaw is faster', 'dispatches', 'host ms', 'peak'],
      rows.map(rowCells),
    ),
  ]; // prettier-ignore
  const about = `${imageSize} x ${imageSize} images, batch ${batchSize}, ${precision}`;
  const charts = cases.map(({ name }) => chartOf(name, rows));
  return benchPage(
    { title: 'thaw bench step', heading: 'Training steps, side by side', about, origin, charts, sections },
    chartJs,
  );
}

function chartOf(name: string, rows: readonly StepFigures[]): Bars {
  const own = rows.filter((row) => row.case === name);
  const floor = own.find(({ floorMilliseconds }) => floorMilliseconds !== undefined)?.floorMilliseconds;
  const bars = [
    ...own.map(({ engine, milliseconds: { median } }) => ({ engine, median, colour: colourOf(engine) })),
    ...(floor === undefined ? [] : [{ engine: 'floor', median: floor, colour: 'faint' }]),
  ];
  return {
    id: `chart-${name}`,
    labels: bars.map(({ engine, median }) => `${engine}: ${milliseconds(median)} ms`),
    series: [{ name, values: bars.map(({ median }) => median), colours: bars.map(({ colour }) => colour) }],
    axis: 'milliseconds a step; shorter is faster',
    scale: 'linear',
  };
}

/** Thaw's, those of TensorFlow.js, of PyTorch, and others. */
function colourOf(engine: string): string {
  if (engine === 'thaw') return 'a';
  if (engine.startsWith('tfjs-')) return 'b';
  return engine.startsWith('pytorch') ? 'c' : 'd';
}

const rowCells = (row: StepFigures): string[] => [
  row.case,
  row.engine,
  milliseconds(row.milliseconds.median),
  `${milliseconds(row.milliseconds.min)} to ${milliseconds(row.milliseconds.max)}`,
  rate(row.imagesPerSecond),
  row.floorMilliseconds === undefined ? '' : milliseconds(row.floorMilliseconds),
  row.floorMilliseconds === undefined ? '' : wholePercent(row.floorMilliseconds / row.milliseconds.median),
  times(row.ratio),
  row.dispatches === undefined ? '' : count(row.dispatches),
  row.hostMilliseconds === undefined ? '' : milliseconds(row.hostMilliseconds.median),
  row.peakBytes === undefined ? '' : bytes(row.peakBytes),
];
