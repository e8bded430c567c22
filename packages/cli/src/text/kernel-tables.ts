// Tables of kernels in several engines: every case, and geometric means.
import type { FamilySummary, KernelRow } from '@thaw/bench';
import { milliseconds } from './format.ts';
import { table } from './table.ts';

const right = 'right' as const;
/** How often faster Thaw is. */
export const times = (value: number | undefined): string =>
  value === undefined ? '' : `${value.toFixed(value < 9.95 ? 2 : 1)} x`;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

type Colors = Parameters<typeof table>[2];

export const rowTable = (rows: readonly KernelRow[], colors: Colors): string =>
  table(
    [
      { title: 'case' },
      { title: 'engine' },
      { title: 'ms', align: right },
      { title: 'min..max', align: right },
      { title: 'GFLOP/s', align: right },
      { title: 'GB/s', align: right },
      { title: 'floor ms', align: right },
      { title: 'of floor', align: right },
      { title: 'of Thaw', align: right },
    ],
    rows.map((row) => [
      row.case,
      row.engine,
      milliseconds(row.milliseconds.median),
      `${milliseconds(row.milliseconds.min)}..${milliseconds(row.milliseconds.max)}`,
      row.gflops.toFixed(1),
      row.gigabytesPerSecond.toFixed(1),
      milliseconds(row.floorMilliseconds),
      percent(row.floorMilliseconds / row.milliseconds.median),
      times(row.ratio),
    ]),
    colors,
  );

export const familyTable = (families: readonly FamilySummary[], colors: Colors): string =>
  table(
    [
      { title: 'kernel' },
      { title: 'engine' },
      { title: 'cases', align: right },
      { title: 'GFLOP/s', align: right },
      { title: 'of floor', align: right },
      { title: 'of Thaw', align: right },
      { title: 'least', align: right },
    ],
    families.map((one) => [
      one.op,
      one.engine,
      String(one.cases),
      one.gflops.toFixed(1),
      percent(one.shareOfFloor),
      times(one.ratio),
      times(one.least),
    ]),
    colors,
  );
