// How a training went, in a few lines: each curve as a sparkline between its first and its last value.
import type { EpochRecord } from '@thaw/model';
import type { Colors } from '../output.ts';
import { percent } from './format.ts';
import { sparkline } from './sparkline.ts';
import { table } from './table.ts';

/** Columns of a curve. */
const CURVE = 20;

type Field = 'loss' | 'validationLoss' | 'accuracy' | 'validationAccuracy';

const ROWS: readonly (readonly [title: string, field: Field])[] = [
  ['training loss', 'loss'],
  ['validation loss', 'validationLoss'],
  ['training accuracy', 'accuracy'],
  ['validation accuracy', 'validationAccuracy'],
];

/** Columns from which there is room for the curves. */
const WIDE = 72;

/** A row for each curve that there is; at the best epoch, what the kept weights had. */
export function historyTable(
  history: readonly EpochRecord[],
  bestEpoch: number,
  width: number,
  colors?: Colors,
): string {
  const isWide = width >= WIDE;
  const right = 'right' as const;
  const rows = ROWS.flatMap(([title, field]) => {
    const values = history.flatMap((record) => record[field] ?? []);
    const text = (value: number | undefined): string =>
      value === undefined ? '' : /accuracy/i.test(field) ? percent(value) : value.toFixed(4);
    const best = history.find(({ epoch }) => epoch === bestEpoch)?.[field];
    return values.length === 0 ? [] : [[isWide ? title : title.replace('validation', 'val.').replace('training', 'train'), text(values[0]), ...(isWide ? [sparkline(values, CURVE)] : []), text(values.at(-1)), text(best)]]; // prettier-ignore
  });
  return table(
    [
      { title: '' },
      { title: 'first', align: right },
      ...(isWide ? [{ title: 'by epoch' }] : []),
      { title: 'last', align: right },
      { title: `epoch ${bestEpoch}`, align: right },
    ],
    rows,
    colors,
  );
}
