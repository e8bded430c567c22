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
  evaluation: Evaluation,
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
  const matrix = confusionTable(classes, confusion, width, colors);
  return [
    `${colors.bold(`accuracy ${percent(accuracy, 2)}   macro-F1 ${score(macroF1)}`)}   loss ${loss.toFixed(4)}   (${count(labels.length)} ${title})`,
    '',
    perClassTable(
      shown.map((i) => classes[i] ?? ''),
      shown.flatMap((i) => perClass[i] ?? []),
      colors,
    ) + note,
    ...(matrix === undefined ? [] : ['', colors.dim('rows: true class, columns: predicted class'), matrix]),
  ].join('\n');
}
