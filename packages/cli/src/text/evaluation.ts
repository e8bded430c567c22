// An evaluation as a person reads it in a terminal.
import type { Evaluation } from '@thaw/model';
import type { Colors } from '../output.ts';
import { confusionTable, perClassTable } from './confusion.ts';
import { count, percent, score } from './format.ts';

/** Per-class tables longer than this are cut to the classes that do best and worst. */
const MANY = 30;

export interface EvaluationTextOptions {
  readonly width: number;
  readonly colors: Colors;
  readonly title: string;
}

export function evaluationText(
  evaluation: Pick<Evaluation, 'accuracy' | 'macroF1' | 'loss' | 'labels' | 'confusion' | 'perClass'>,
  classes: readonly string[],
  { width, colors, title }: EvaluationTextOptions,
): string {
  const { accuracy, macroF1, loss, labels, confusion, perClass } = evaluation;
  const order = classes.map((_, i) => i);
  const byF1 = [...order].sort((a, b) => (perClass[b]?.f1 ?? 0) - (perClass[a]?.f1 ?? 0));
  const shown = classes.length <= MANY ? order : [...byF1.slice(0, 10), ...byF1.slice(-10)];
  const note =
    classes.length <= MANY
      ? ''
      : `\n${colors.dim(`(the 10 best and the 10 worst of ${classes.length} classes; all are in summary.json)`)}`;
  const scores = `accuracy ${percent(accuracy, 2)}   macro-F1 ${score(macroF1)}`;
  const matrix = confusionTable(classes, confusion, width, colors);
  return [
    fitted(
      colors.bold(scores),
      [`loss ${loss.toFixed(4)}`, `(${count(labels.length)} ${title})`],
      scores.length,
      width,
    ),
    '',
    perClassTable(
      shown.map((i) => classes[i] ?? ''),
      shown.flatMap((i) => perClass[i] ?? []),
      width,
      colors,
    ) + note,
    ...(matrix === undefined ? [] : ['', colors.dim('rows: true, columns: predicted class'), matrix]),
  ].join('\n');
}

/** Pieces after a first one of `used` columns, each on a line of its own where it does not fit. */
function fitted(first: string, pieces: readonly string[], used: number, width: number): string {
  let [text, at] = [first, used];
  for (const piece of pieces) {
    const fits = at + 3 + piece.length <= width;
    text += `${fits ? '   ' : '\n'}${piece}`;
    at = fits ? at + 3 + piece.length : piece.length;
  }
  return text;
}
