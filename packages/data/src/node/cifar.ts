// CIFAR-10 and CIFAR-100 from their binary layout: https://www.cs.toronto.edu/~kriz/cifar.html
//
// A record is the label (CIFAR-100: a coarse label, then the fine one), then 1024 red, 1024 green and 1024 blue bytes,
// each plane row by row. The records stay in memory as they are in the file; a read interleaves one image.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import { MemoryDataset } from '../memory-dataset.ts';
import { explain } from './paths.ts';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXELS = 3 * PLANE;

/** One published form of CIFAR. */
export interface CifarFormat {
  /** `cifar10` or `cifar100`, as on the command line. */
  readonly id: 'cifar10' | 'cifar100';
  /** As it is written. */
  readonly title: string;
  /** Folder inside the archive and under `datasets/`. */
  readonly folder: string;
  /** Address of the archive. */
  readonly url: string;
  /** Of the archive, hexadecimal. */
  readonly md5: string;
  /** Names of the files in the folder. */
  readonly files: {
    /** Of the training images. */
    readonly train: readonly string[];
    /** Of the test images. */
    readonly test: readonly string[];
  };
  /** Names of the label bytes of a record, in order. */
  readonly labels: readonly {
    /** Which label it is. */
    readonly kind: 'fine' | 'coarse';
    /** Number of classes. */
    readonly count: number;
    /** File with the classes' names, one a line. */
    readonly names: string;
  }[];
  /** Records in each published file. */
  readonly records: {
    /** In each training file. */
    readonly train: number;
    /** In the test file. */
    readonly test: number;
  };
}

/** Ten classes, 50,000 training and 10,000 test images of 32x32. */
export const CIFAR10: CifarFormat = {
  id: 'cifar10',
  title: 'CIFAR-10',
  folder: 'cifar-10-batches-bin',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  files: { train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), test: ['test_batch.bin'] },
  labels: [{ kind: 'fine', count: 10, names: 'batches.meta.txt' }],
  records: { train: 10_000, test: 10_000 },
};

/** A hundred fine classes in twenty coarse ones, 50,000 training and 10,000 test images of 32x32. */
export const CIFAR100: CifarFormat = {
  id: 'cifar100',
  title: 'CIFAR-100',
  folder: 'cifar-100-binary',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
  md5: '03b5dce01913d631647c71ecec9e9cb8',
  files: { train: ['train.bin'], test: ['test.bin'] },
  labels: [
    { kind: 'coarse', count: 20, names: 'coarse_label_names.txt' },
    { kind: 'fine', count: 100, names: 'fine_label_names.txt' },
  ],
  records: { train: 50_000, test: 10_000 },
};

/** Which labels are read. */
export interface CifarReadOptions {
  /** CIFAR-100's 100 `fine` classes (default) or its 20 `coarse` ones. */
  readonly labels?: 'fine' | 'coarse' | undefined;
}

/** CIFAR from the unpacked files in `folder`. Holds the split's files in memory (154 MB for training). */
export async function readCifar(
  folder: string,
  format: CifarFormat,
  split: 'train' | 'test',
  options: CifarReadOptions = {},
): Promise<CifarDataset> {
  const kind = options.labels ?? 'fine';
  const labelByte = format.labels.findIndex((label) => label.kind === kind);
  const label = format.labels[labelByte];
  if (!label) throw new DataError(`${format.title} has no ${kind} labels`);
  const classes = await readClassNames(join(folder, label.names), label.count);
  const parts: CifarPart[] = [];
  for (const name of format.files[split]) parts.push(await readPart(folder, name, format, labelByte, label.count));
  return new CifarDataset(format, split, kind, classes, parts);
}

interface CifarPart {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly labels: Uint8Array;
}

/** One split of CIFAR. `notes` says where it differs from the published data. */
export class CifarDataset extends MemoryDataset {
  /** What the user should know: files that differ from the published ones. */
  readonly notes: readonly string[];

  constructor(
    format: CifarFormat,
    split: 'train' | 'test',
    kind: 'fine' | 'coarse',
    classes: readonly string[],
    parts: readonly CifarPart[],
  ) {
    const recordBytes = format.labels.length + PIXELS;
    const total = parts.reduce((sum, part) => sum + part.labels.length, 0);
    const labels = new Int32Array(total);
    const partOf = new Uint8Array(total);
    const firstOf: number[] = [];
    const hash = createHash('sha256').update(`${format.id} ${kind}`);
    let first = 0;
    parts.forEach((part, p) => {
      labels.set(part.labels, first);
      partOf.fill(p, first, first + part.labels.length);
      firstOf.push(first);
      first += part.labels.length;
      hash.update(part.bytes);
    });
    const locate = (index: number) => {
      const p = partOf[index] ?? 0;
      return { part: parts[p], record: index - (firstOf[p] ?? 0) };
    };
    super({
      name: `${format.title} ${split}`,
      classes,
      labels,
      hash: hash.digest('hex'),
      imageSize: { height: SIDE, width: SIDE },
      read: (index, out) => {
        const { part, record } = locate(index);
        if (part) interleave(part.bytes, record * recordBytes + format.labels.length, out);
      },
      describe: (index) => {
        const { part, record } = locate(index);
        return `${part?.name} record ${record}`;
      },
    });
    const published = format.records[split];
    this.notes = parts
      .filter((part) => part.labels.length !== published)
      .map((part) => `${part.name} has ${part.labels.length} records; the published file has ${published}`);
  }
}

function interleave(bytes: Uint8Array, at: number, out: Uint8Array): void {
  const [green, blue] = [at + PLANE, at + 2 * PLANE];
  for (let i = 0, o = 0; i < PLANE; i++, o += 3) {
    out[o] = bytes[at + i] ?? 0;
    out[o + 1] = bytes[green + i] ?? 0;
    out[o + 2] = bytes[blue + i] ?? 0;
  }
}

async function readPart(
  folder: string,
  name: string,
  format: CifarFormat,
  labelByte: number,
  classes: number,
): Promise<CifarPart> {
  const path = join(folder, name);
  const bytes = await readBytes(path);
  const recordBytes = format.labels.length + PIXELS;
  const records = Math.floor(bytes.length / recordBytes);
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new DataError(
      `${path}: ends at byte ${bytes.length}, ` +
        (bytes.length === 0 ? 'it is empty' : `${bytes.length % recordBytes} bytes into record ${records}`) +
        `; a record is ${recordBytes} bytes. Delete the folder ${folder} and get ${format.title} again: thaw download ${format.id}`,
    );
  }
  const labels = new Uint8Array(records);
  for (let r = 0; r < records; r++) {
    const at = r * recordBytes + labelByte;
    const label = bytes[at] ?? 0;
    if (label >= classes) {
      throw new DataError(
        `${path}: byte ${at}, the label of record ${r}, is ${label}; ${format.title} has labels 0 to ${classes - 1}. ` +
          `The file is damaged or not ${format.title}: delete the folder ${folder} and run thaw download ${format.id}`,
      );
    }
    labels[r] = label;
  }
  return { name, bytes, labels };
}

async function readClassNames(path: string, count: number): Promise<string[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length !== count) throw new DataError(`${path}: has ${names.length} class names, expected ${count}`);
  return names;
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw new DataError(`${path}: the file ${explain(error)}`, { cause: error });
  });
}
