// A confusion matrix and per-class scores as text that fits a terminal.
import type { Colors } from '../output.ts';
import { count, score } from './format.ts';
import { table } from './table.ts';

export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/** Precision, recall, F1 and number of images of each class. */
export function perClassTable(
  classes: readonly string[],
  scores: readonly ClassScore[],
  width: number,
  colors?: Colors,
): string {
  const longest = Math.max(5, ...classes.map(({ length }) => length));
  const images = Math.max(6, ...scores.map(({ support }) => count(support).length));
  // Four gaps of two, and columns as wide as their titles; of short titles the scores' five digits count.
  const isWide = longest + images + 8 + 'precision'.length + 'recall'.length + 5 <= width;
  const room = Math.max(5, width - images - 8 - 3 * 5);
  return table(
    [
      { title: 'class' },
      { title: isWide ? 'precision' : 'prec.', align: 'right' },
      { title: isWide ? 'recall' : 'rec.', align: 'right' },
      { title: 'F1', align: 'right' },
      { title: 'images', align: 'right' },
    ],
    classes.map((name, i) => {
      const s = scores[i];
      return [isWide ? name : cut(name, room), score(s?.precision), score(s?.recall), score(s?.f1), count(s?.support ?? 0)]; // prettier-ignore
    }),
    colors,
  );
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);

/**
 * Rows are the true classes, columns the predicted ones, named by a letter or number that stands before the row's name.
 * Undefined where it does not fit in `width` columns.
 */
export function confusionTable(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  width: number,
  colors?: Colors,
): string | undefined {
  const digits = Math.max(2, ...confusion.flat().map((value) => String(value).length), String(classes.length).length);
  const longest = Math.max(...classes.map(({ length }) => length));
  const keyWidth = String(classes.length).length;
  const room = width - classes.length * (digits + 1) - keyWidth - 2;
  if (room < 6) return undefined;
  const nameWidth = Math.min(longest, room);
  const dim = colors?.dim ?? ((text: string) => text);
  const bold = colors?.bold ?? ((text: string) => text);
  const head = `${' '.repeat(keyWidth + 1 + nameWidth)} ${classes.map((_, i) => String(i + 1).padStart(digits)).join(' ')}`;
  const rows = confusion.map((row, i) => {
    const name = (classes[i] ?? '').slice(0, nameWidth).padEnd(nameWidth);
    const cells = row.map((value, j) => {
      const text = (value === 0 ? '·' : String(value)).padStart(digits);
      return i === j ? bold(text) : value === 0 ? dim(text) : text;
    });
    return `${dim(String(i + 1).padStart(keyWidth))} ${name} ${cells.join(' ')}`;
  });
  return [dim(head), ...rows].join('\n');
}
