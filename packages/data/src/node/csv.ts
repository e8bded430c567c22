// A table of image paths and labels: CSV, or separated by tabs or semicolons.

import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DataError } from '../errors.ts';
import { CompactTexts } from './compact-texts.ts';
import { FileDataset } from './file-dataset.ts';
import { explain } from './paths.ts';
import { classesOf, labelsOf, listed } from './class-names.ts';
import { isImageName } from './decode.ts';
import { splitNamed, type SplitName } from './split-names.ts';

/** Names under which the columns are looked for, in any case. */
const COLUMNS = {
  path: ['path', 'file', 'filename', 'file_name', 'filepath', 'file_path', 'image', 'image_path', 'img'],
  label: ['label', 'class', 'category', 'label_name', 'class_name', 'target'],
  split: ['split', 'set', 'subset', 'partition', 'fold'],
} as const;

/** A larger row is no row of paths and labels. */
const MAX_ROW_BYTES = 2 ** 20;

/** An image's row. */
export interface TableRow {
  /** Line of the file, counted from 1. */
  readonly line: number;
  /** As written. */
  readonly path: string;
  /** As written. */
  readonly label: string;
  /** Which split the row is of; undefined where the table has no such column. */
  readonly split: SplitName | undefined;
}

/**
 * Reads a table. Its first line names the columns (path, label and, if there are splits, split, or usual names for these);
 * a table of an image file and a label needs no such line. Empty lines, and lines that begin with #, are left out.
 * @throws DataError with the line where a row is wrong
 */
export async function readTable(file: string): Promise<TableRow[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new DataError(`${file}: the file ${explain(error)}`, { cause: error });
  });
  const rows = parseRows(file, text);
  const [first] = rows;
  if (!first) throw new DataError(`${file}: the table is empty; write a line "path,label", then a line for each image`);
  const header = first.cells.map((cell) => cell.trim().toLowerCase());
  const column = (name: keyof typeof COLUMNS): number => header.findIndex((cell) => (COLUMNS[name] as readonly string[]).includes(cell)); // prettier-ignore
  let [path, label] = [column('path'), column('label')];
  const split = column('split');
  const hasHeader = path !== -1 && label !== -1;
  if (!hasHeader) {
    if (header.length !== 2 || !isImageName(header[0] ?? '')) {
      const missing = path === -1 ? 'path' : 'label';
      throw new DataError(
        `${file}: no column ${missing} among ${listed(header)}; its first line must name the columns path and label`,
      );
    }
    [path, label] = [0, 1];
  }
  return (hasHeader ? rows.slice(1) : rows).map(({ cells, line }) => {
    const row = { line, path: (cells[path] ?? '').trim(), label: (cells[label] ?? '').trim() };
    if (row.path === '' || row.label === '') {
      throw new DataError(`${file}: line ${line} has no ${row.path === '' ? 'path' : 'label'}`);
    }
    if (!hasHeader || split === -1) return { ...row, split: undefined };
    const word = (cells[split] ?? '').trim();
    const named = splitNamed(word);
    if (!named) throw new DataError(`${file}: line ${line}: split '${word}' is none of train, val, test`);
    return { ...row, split: named };
  });
}

function parseRows(file: string, text: string): { readonly cells: string[]; readonly line: number }[] {
  const start = text.slice(0, MAX_ROW_BYTES).replace(/^\uFEFF/, '');
  const firstLine = start.split(/\r?\n/).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const delimiter = ['\t', ';', ','].find((character) => firstLine.includes(character)) ?? ',';
  try {
    const rows: unknown = parse(text, {
      bom: true,
      delimiter,
      comment: '#',
      comment_no_infix: true,
      info: true,
      max_record_size: MAX_ROW_BYTES,
      skip_empty_lines: true,
      relax_column_count: false,
    });
    return (rows as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      cells: record,
      line: info.lines,
    }));
  } catch (error) {
    throw new DataError(`${file}: ${explain(error)}`, { cause: error });
  }
}

/** The splits that a table has rows of, in this order: train, val, test. */
export const splitsOfTable = (rows: readonly TableRow[]): SplitName[] =>
  (['train', 'val', 'test'] as const).filter((name) => rows.some(({ split = 'train' }) => split === name));

/**
 * The images of one split of a table; relative paths start from the table's folder. Nothing is decoded here.
 * @param given the classes of a model that exists; default those of the whole table: numbers by size, else in code-unit order
 * @throws DataError for fewer than two classes, and for a class that is not among those given
 */
export async function openTable(
  file: string,
  rows: readonly TableRow[],
  split: SplitName,
  given?: readonly string[],
): Promise<FileDataset> {
  const classes = given ?? classesOf(file, rows.map(({ label }) => label)); // prettier-ignore
  const chosen = rows.filter((row) => (row.split ?? 'train') === split);
  const labels = labelsOf(
    chosen.map(({ label }) => label),
    classes,
    (i) => `${file}: line ${chosen[i]?.line}`,
  );
  const folder = dirname(resolve(file));
  const hasSplits = rows.some((row) => row.split !== undefined);
  return FileDataset.create({
    name: hasSplits ? `${basename(file)} ${split}` : basename(file),
    classes,
    labels,
    root: folder,
    files: CompactTexts.of(chosen.map(({ path }) => path)),
    notes: [],
  });
}
