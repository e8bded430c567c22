// Predictions as text, one after the other as they come: a table, comma-separated values, JSON, JSON lines.
import type { AnswerFormat } from '../options/settings.ts';
import type { Colors } from '../output.ts';
import { percent } from './format.ts';

export interface Answer {
  readonly file: string;
  readonly classes: readonly { readonly class: string; readonly index: number; readonly probability: number }[];
}

/** What is written before the first answer, for each, and after the last; without the newline at its end. */
export interface AnswerWriter {
  readonly head: string | undefined;
  readonly line: (answer: Answer) => string;
  readonly tail: string | undefined;
}

/** Columns of a table: nothing that comes later is known when the first row is written. */
export interface TableShape {
  /** Of the longest file's name. */
  readonly fileWidth: number;
  /** Of the longest class. */
  readonly classWidth: number;
  readonly colors: Colors;
}

export function answerWriter(format: AnswerFormat, shape: TableShape): AnswerWriter {
  switch (format) {
    case 'table':
      return tableWriter(shape);
    case 'csv':
      return {
        head: 'file,rank,class,probability',
        line: ({ file, classes }) =>
          classes
            .map((one, rank) => [file, String(rank + 1), one.class, one.probability.toFixed(6)].map(csvCell).join(','))
            .join('\n'),
        tail: undefined,
      };
    case 'json': {
      let written = 0;
      return {
        head: '[',
        line: (answer) => `${written++ > 0 ? ',' : ' '}${JSON.stringify(answer)}`,
        tail: ']',
      };
    }
    case 'jsonl':
      return { head: undefined, line: (answer) => JSON.stringify(answer), tail: undefined };
    default:
      throw new Error(`unknown format ${String(format satisfies never)}`);
  }
}

function tableWriter({ fileWidth, classWidth, colors }: TableShape): AnswerWriter {
  const row = (file: string, name: string, share: string, isFirst: boolean): string => {
    const shown = cell(name, classWidth);
    return `${cell(file, fileWidth)}  ${isFirst ? colors.bold(shown) : shown}  ${share.padStart(7)}`;
  };
  return {
    head: colors.dim(`${'file'.padEnd(fileWidth)}  class`),
    line: ({ file, classes }) =>
      classes
        .map((one, rank) => row(rank === 0 ? file : '', one.class, percent(one.probability), rank === 0))
        .join('\n'),
    tail: undefined,
  };
}

/** Of exactly so many characters; of what is too long, the end. */
function cell(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= width ? line.padEnd(width) : `…${line.slice(line.length - width + 1)}`;
}

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
