// Tables of how a training step scales: as measured, and as the model expects it.
import type { ScalingRow } from '@thaw/bench';
import type { Colors } from '../output.ts';
import { milliseconds, percent, rate } from './format.ts';
import { table } from './table.ts';

const right = 'right' as const;
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** What was measured, and against the same step on one rank where that was measured, too. */
export function scalingTable(rows: readonly ScalingRow[], colors?: Colors): string {
  const single = (row: ScalingRow): number | undefined =>
    rows.find((one) => one.ranks === 1 && one.case === row.case && one.compression === row.compression)?.alone.median;
  return table(
    [
      { title: 'case' },
      { title: 'gradients' },
      { title: 'ranks', align: right },
      { title: 'alone ms', align: right },
      { title: 'together ms', align: right },
      { title: 'min..max', align: right },
      { title: 'in MPI ms', align: right },
      { title: 'messages ms', align: right },
      { title: 'exposed ms', align: right },
      { title: 'of MPI', align: right },
      { title: 'out MiB', align: right },
      { title: 'back MiB', align: right },
      { title: 'sent MiB', align: right },
      { title: 'images/s', align: right },
      { title: 'efficiency', align: right },
      { title: 'of 1 rank', align: right },
    ],
    rows.map((row) => {
      const one = single(row);
      return [
        row.case,
        row.compression === 'none' ? 'float32' : 'float16',
        String(row.ranks),
        milliseconds(row.alone.median),
        milliseconds(row.together.median),
        `${milliseconds(row.together.min)}..${milliseconds(row.together.max)}`,
        milliseconds(row.communication.median),
        milliseconds(row.messages.median),
        milliseconds(row.exposedMilliseconds),
        row.ranks === 1 ? '' : percent(row.exposedMilliseconds / row.communication.median, 0),
        mib(row.bytesOut),
        mib(row.bytesBack),
        mib(row.bytesSent),
        rate(row.imagesPerSecond),
        percent(row.efficiency, 0),
        one === undefined ? '' : percent(one / row.together.median, 0),
      ];
    }),
    colors,
  );
}

/** What the model expects of one number of ranks on one link. */
export interface ModelRow {
  /** Gb/s. */
  readonly link: number;
  /** Processes of the job. */
  readonly ranks: number;
  /** Seconds of a step and compute over it, by compression and overlap. */
  readonly expected: Readonly<Record<ModelColumn, { readonly stepSeconds: number; readonly efficiency: number }>>;
}

/** Ways for gradients to travel. */
export const MODEL_COLUMNS = ['float32', 'float16', 'float32, no overlap', 'float16, no overlap'] as const;
/** One of them. */
export type ModelColumn = (typeof MODEL_COLUMNS)[number];

/** A block a link, a line a number of ranks. */
export function modelTable(rows: readonly ModelRow[], colors?: Colors): string {
  return table(
    [
      { title: 'Gb/s', align: right },
      { title: 'ranks', align: right },
      ...MODEL_COLUMNS.flatMap((name) => [
        { title: `${name} ms`, align: right },
        { title: '', align: right },
      ]),
    ],
    rows.map(({ link, ranks, expected }) => [
      Number.isFinite(link) ? String(link) : 'no cost',
      String(ranks),
      ...MODEL_COLUMNS.flatMap((name) => [
        milliseconds(1000 * expected[name].stepSeconds),
        percent(expected[name].efficiency, 0),
      ]),
    ]),
    colors,
  );
}
