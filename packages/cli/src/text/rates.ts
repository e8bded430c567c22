// Loss against learning rate on a terminal: a row for each rate, a bar for its loss.
import type { RateTest } from '@thaw/model';
import type { Output } from '../output.ts';
import { table } from './table.ts';

/** Two digits: "0.0012", "3.5e-6". */
export const shortRate = (rate: number): string => String(Number(rate.toPrecision(2)));

const ROWS = 20;
const BAR = 40;

/** Every few steps, the suggested one marked. @returns a table */
export function rateChart(
  { points, steepest, lowest }: RateTest,
  { colors, width }: Pick<Output, 'colors' | 'width'>,
): string {
  const every = Math.max(1, Math.ceil(points.length / ROWS));
  const marks = new Map([[lowest, 'lowest'], [steepest, 'falls the fastest']]); // prettier-ignore
  const shown = points.filter(({ rate }, i) => i % every === 0 || marks.has(rate));
  const most = Math.max(...shown.map(({ smoothed }) => smoothed));
  const room = Math.max(8, Math.min(BAR, width - 40));
  const rows = shown.map(({ rate, smoothed }) => [
    rate.toExponential(1),
    smoothed.toFixed(3),
    '▇'.repeat(Math.max(1, Math.round((room * smoothed) / most))),
    marks.get(rate) ?? '',
  ]);
  return table(
    [{ title: 'rate', align: 'right' }, { title: 'loss', align: 'right' }, { title: '' }, { title: '' }],
    rows,
    colors,
  );
}
