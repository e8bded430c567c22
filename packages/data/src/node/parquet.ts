// Image data sets in Parquet files, as Hugging Face keeps them: a column of encoded images, a column of labels.

import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DataError, UnlabelledError } from '../errors.ts';
import { classesOf, labelsOf, listed, numberAmong } from './class-names.ts';
import { pack } from './stored/pack.ts';
import { StoredDataset } from './stored/stored-dataset.ts';
import { explain, statOrNull, visibleEntries } from './paths.ts';
import { bySplit, type SplitFiles, type SplitName } from './split-names.ts';

/** A row group that is larger than this when read is refused: its images are in memory at once. */
const MOST_GROUP_BYTES = 2 ** 31;
/** No image and label take less than this share of a byte, however well they are packed: one row more than that is a lie. */
const MOST_ROWS_PER_BYTE = 16;

/** The Parquet files of a folder by split. Null where there are none down to three folders. */
export async function findParquet(folder: string): Promise<SplitFiles | null> {
  const files = await parquetFiles(folder, 3);
  return files.length > 0 ? bySplit(files) : null;
}

async function parquetFiles(folder: string, depth: number): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await visibleEntries(folder)) {
    const path = join(folder, entry.name);
    if (isParquetName(entry.name)) files.push(path);
    else if (depth > 1 && (await statOrNull(path))?.isDirectory()) files.push(...(await parquetFiles(path, depth - 1)));
  }
  return files;
}

export const isParquetName = (name: string): boolean => name.toLowerCase().endsWith('.parquet');

/** What the labels of some files are called. */
interface Opened {
  readonly path: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rows: number;
  readonly image: string;
  readonly label: string;
  /** Names of the classes, where the file tells them. */
  readonly names: readonly string[] | undefined;
}

export interface OpenParquetOptions {
  /** What the data set is called. */
  readonly name: string;
  readonly split: SplitName;
  /** A folder for the unpacked images: as many bytes as the files hold. */
  readonly cache: string;
  /** The classes of a model that exists. */
  readonly classes?: readonly string[] | undefined;
}

/**
 * The images of one split. Labels are read at once; images are unpacked into the cache when the split is first opened, row
 * group by row group, so that any of them can be read later without the rest.
 * @throws UnlabelledError where no image of the split has a label
 * @throws DataError where a file is damaged, or has no column of images or labels
 */
export async function openParquet(
  splits: SplitFiles,
  { name, split, cache, classes: given }: OpenParquetOptions,
): Promise<StoredDataset> {
  const opened = await Promise.all((splits[split] ?? []).map(openFile));
  const { texts, numbers } = await allLabels(opened);
  const rows = Int32Array.from(numbers.keys()).filter((row) => numbers[row] !== -1);
  const title = `${name} ${split}`;
  if (rows.length === 0) throw new UnlabelledError(`${title}: none of its ${numbers.length} images has a label`);
  const classes = given ?? opened.find(({ names }) => names)?.names ?? classesOf(title, texts);
  const firsts = firstRows(opened);
  const describeRow = (row: number): string => {
    const at = firsts.findLastIndex((first) => first <= row);
    return `${opened[at]?.path ?? name} row ${row - (firsts[at] ?? 0)}`;
  };
  const hash = await hashOf(opened, classes);
  const { images, offsets } = await pack(join(cache, hash.slice(0, 32)), () => imagesOf(opened));
  const starts = Float64Array.from(rows, (row) => offsets[row] ?? 0);
  const sizes = starts.map((start, i) => (offsets[(rows[i] ?? 0) + 1] ?? start) - start);
  const left = numbers.length - rows.length;
  const labelOf = labelsOf(texts, classes, (text) => describeRow(numbers.indexOf(text)));
  return new StoredDataset({
    name: title,
    classes,
    images: { files: [images], firsts: Int32Array.of(0), offsets: starts, sizes },
    labels: rows.map((row) => labelOf[numbers[row] ?? 0] ?? 0),
    hash,
    describe: (index) => describeRow(rows[index] ?? 0),
    notes: left > 0 ? [`left out ${left} images without a label`] : [],
  });
}

/** The label of each row of all files, as a position among the different ones; -1 where it has none. */
async function allLabels(files: readonly Opened[]): Promise<{ texts: string[]; numbers: Int32Array }> {
  const texts = new Map<string, number>();
  const numbers = new Int32Array(files.reduce((sum, { rows }) => sum + rows, 0)).fill(-1);
  let at = 0;
  for (const file of files) {
    for (const label of await readLabels(file)) numbers[at++] = label === null ? -1 : numberAmong(texts, label);
  }
  return { texts: [...texts.keys()], numbers };
}

function firstRows(files: readonly Opened[]): number[] {
  let start = 0;
  return files.map(({ rows }) => (start += rows) - rows);
}

/** The files' names, sizes and footers: what is in them. */
async function hashOf(files: readonly Opened[], classes: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(classes));
  for (const { path, buffer, metadata } of files) {
    const footer = buffer.byteLength - Math.min(buffer.byteLength, metadata.metadata_length + 8);
    hash.update(`${basename(path)} ${buffer.byteLength}\n`).update(new Uint8Array(await buffer.slice(footer)));
  }
  return hash.digest('hex');
}

async function openFile(path: string): Promise<Opened> {
  try {
    const buffer = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(buffer);
    const rows = checkSizes(path, metadata, buffer.byteLength);
    return { path, buffer, metadata, rows, ...columnsOf(path, metadata) };
  } catch (error) {
    throw asDataError(path, error);
  }
}

const asDataError = (path: string, error: unknown): DataError =>
  error instanceof DataError
    ? error
    : new DataError(`${path}: cannot be read as a Parquet file: ${explain(error)}`, { cause: error });

/** What a footer declares, held against the file before anything of that size is allocated. @returns the number of rows */
function checkSizes(path: string, { num_rows, row_groups }: FileMetaData, byteLength: number): number {
  const declared = (what: string, value: bigint | number, most: number): number => {
    const number = Number(value);
    if (!(number >= 0 && number <= most))
      throw new DataError(`${path}: its footer declares ${what}, which a file of ${byteLength} bytes cannot hold`);
    return number;
  };
  let sum = 0;
  for (const [i, group] of row_groups.entries()) {
    sum += declared(`${group.num_rows} rows in row group ${i}`, group.num_rows, MOST_ROWS_PER_BYTE * byteLength);
    for (const { meta_data: column } of group.columns) {
      if (!column) continue;
      const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
      const end = start + Number(column.total_compressed_size);
      declared(`a column that ends at byte ${end}`, end, byteLength);
      declared(`${column.num_values} values in row group ${i}`, column.num_values, MOST_ROWS_PER_BYTE * byteLength);
      if (!(Number(column.total_uncompressed_size) <= MOST_GROUP_BYTES))
        throw new DataError(`${path}: row group ${i} takes ${column.total_uncompressed_size} bytes unpacked, more than the ${MOST_GROUP_BYTES} allowed; write it with smaller row groups`); // prettier-ignore
    }
  }
  if (sum !== Number(num_rows))
    throw new DataError(`${path}: its footer declares ${num_rows} rows, its row groups ${sum}`);
  return sum;
}

/** What Hugging Face's `datasets` writes into a file about its columns. */
interface Feature {
  readonly _type?: unknown;
  readonly names?: unknown;
}

function columnsOf(path: string, metadata: FileMetaData): Pick<Opened, 'image' | 'label' | 'names'> {
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const features = featuresOf(metadata);
  const ofType = (type: string): string[] => columns.filter((name) => features[name]?._type === type);
  const called = (names: readonly string[]): string | undefined =>
    names.map((name) => columns.find((column) => column.toLowerCase() === name)).find((name) => name !== undefined);
  const image = ofType('Image')[0] ?? called(['image', 'img', 'picture', 'photo', 'pixel_values']);
  const labels = ofType('ClassLabel');
  const label =
    labels.find((name) => ['label', 'labels', 'fine_label'].includes(name)) ??
    labels[0] ??
    called(['label', 'labels', 'fine_label', 'class', 'category', 'target']);
  if (image === undefined || label === undefined) {
    const missing = image === undefined ? 'images (a column named image)' : 'labels (a column named label)';
    throw new DataError(`${path}: has no column of ${missing} among ${listed(columns)}`);
  }
  const names = features[label]?.names;
  const areNames = Array.isArray(names) && names.every((name): name is string => typeof name === 'string');
  return { image, label, names: areNames ? names : undefined };
}

function featuresOf({ key_value_metadata: pairs }: FileMetaData): Record<string, Feature | undefined> {
  const text = pairs?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return {};
  try {
    const parsed = JSON.parse(text) as { info?: { features?: unknown } } | null;
    const features = parsed?.info?.features;
    return typeof features === 'object' && features !== null ? (features as Record<string, Feature>) : {};
  } catch {
    return {}; // a hint only: columns are found by their names, too
  }
}

/** The class of each row by name; null where there is none (Hugging Face's -1). */
async function readLabels({ path, buffer, metadata, rows, label, names }: Opened): Promise<(string | null)[]> {
  if (rows === 0) return [];
  try {
    const read = await parquetReadObjects({ file: buffer, metadata, columns: [label], compressors });
    return read.map((cells, row) => {
      const value: unknown = cells[label];
      if (value === null || value === undefined) return null;
      if (typeof value === 'string') return value;
      if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean')
        throw new DataError(`${path} row ${row}: the label in column ${label} is neither a number nor a text`);
      if (!names) return Number(value) === -1 ? null : String(value);
      const number = Number(value);
      if (number === -1) return null;
      const name = names[number];
      if (name === undefined)
        throw new DataError(`${path} row ${row}: label ${number} is none of the ${names.length} classes (0 to ${names.length - 1})`); // prettier-ignore
      return name;
    });
  } catch (error) {
    throw asDataError(path, error);
  }
}

/** The encoded images of all files in order, a row group in memory at a time. */
async function* imagesOf(files: readonly Opened[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { path, buffer, metadata, image } of files) {
    let start = 0;
    for (const group of metadata.row_groups) {
      const end = start + Number(group.num_rows);
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        columns: [image],
        rowStart: start,
        rowEnd: end,
        utf8: false,
        compressors,
      }).catch((error: unknown) => {
        throw asDataError(path, error);
      });
      for (const [i, row] of rows.entries()) yield imageBytes(row[image], `${path} row ${start + i}`);
      start = end;
    }
  }
}

function imageBytes(value: unknown, where: string): Uint8Array {
  const bytes: unknown = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes;
  if (bytes instanceof Uint8Array) return bytes;
  // An image that is missing is one that cannot be read: it is named and skipped where it is used.
  if (bytes === null || bytes === undefined) return new Uint8Array(0);
  throw new DataError(`${where}: the image is not stored as encoded bytes`);
}
