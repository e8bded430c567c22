// Tables for a terminal: aligned columns, a rule under the headings, no boxes.
import Table from 'cli-table3';
import type { Colors } from '../output.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const NO_LINES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
  bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} as const; // prettier-ignore

/** The table's text, with no newline at its end. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], colors?: Colors): string {
  const paint = colors?.dim ?? ((text: string) => text);
  const made = new Table({
    chars: NO_LINES,
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    head: columns.map(({ title }) => paint(title)),
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
