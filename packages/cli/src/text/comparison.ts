// Several runs side by side, for a terminal: scores, best first, and the settings in which they differ.
import type { Colors } from '../output.ts';
import { comparisonNote, differences, type ComparedRun } from '../report/compare.ts';
import { count, duration, percent, score } from './format.ts';
import { table } from './table.ts';

export function comparisonText(runs: readonly ComparedRun[], colors: Colors): string {
  const right = 'right' as const;
  const f1 = ({ summary }: ComparedRun): number => summary?.macroF1 ?? -1;
  const scores = table(
    [
      { title: 'run' },
      { title: 'macro-F1', align: right },
      { title: 'accuracy', align: right },
      { title: 'loss', align: right },
      { title: 'epochs', align: right },
      { title: 'time', align: right },
    ],
    [...runs]
      .sort((a, b) => f1(b) - f1(a))
      .map(({ name, summary, history }) =>
        summary
          ? [name, score(summary.macroF1), percent(summary.accuracy), summary.loss.toFixed(4), count(summary.epochs), duration(summary.seconds)]
          : [name, 'did not end', '', '', count(history.length), ''],
      ), // prettier-ignore
    colors,
  );
  const different = differences(runs);
  const settings = table(
    [{ title: 'setting' }, ...runs.map(({ name }) => ({ title: name, align: right }))],
    different.map(({ name, values }) => [name, ...values]),
    colors,
  );
  const note = comparisonNote(runs);
  return [scores, ...(different.length > 0 ? [settings] : []), ...(note === undefined ? [] : [colors.yellow(note)])].join('\n\n'); // prettier-ignore
}
