// A data set by name or by path, as on the command line: its training, validation and test images.

import { basename, join, resolve } from 'node:path';
import type { ImageDataset } from '../dataset.ts';
import { DataError, UnlabelledError } from '../errors.ts';
import { generatedDataset } from '../generated.ts';
import { CIFAR10, CIFAR100, readCifar, type CifarFormat, type CifarReadOptions } from './cifar.ts';
import { openTable, readTable, splitsOfTable, type TableRow } from './csv.ts';
import { checkFolder, findSplits, openImageFolder } from './folder.ts';
import { ensureCifar, type CifarSource } from './home.ts';
import { ensureHub, hubName, type HubSource } from './hub.ts';
import { findParquet, isParquetName, openParquet } from './parquet.ts';
import { statOrNull } from './paths.ts';
import { findShards, isShardName, matchShards, shardsName } from './shards/find-shards.ts';
import { openShards } from './shards/open-shards.ts';
import { bySplit, type SplitFiles, type SplitName } from './split-names.ts';

/** What `openDataset` knows by name. */
export const DATASET_NAMES = ['cifar10', 'cifar100', 'generated'] as const;

/** Size of the generated data set, unless `generated` says otherwise. */
const GENERATED = { train: 2000, test: 500, classes: 10, seed: 0 } as const;

/** Where data is looked for, and what is wanted of it. */
export interface OpenOptions extends CifarSource, CifarReadOptions, Pick<HubSource, 'hub'> {
  /** The folder that a relative path starts from; default the process's. */
  readonly cwd?: string | undefined;
  /** The classes of a model that exists: others are an error. Default: those of the data. */
  readonly classes?: readonly string[] | undefined;
  /** Called while tar shards are looked through for the first time, with the bytes that are behind, and all. */
  readonly onIndex?: ((done: number, total: number) => void) | undefined;
  /** Number of generated images and classes, and their seed; default 2000, 500, 10 and 0. */
  readonly generated?:
    | {
        /** Training images. */
        readonly train?: number;
        /** Test images. */
        readonly test?: number;
        /** 2 to 30. */
        readonly classes?: number;
        /** Of the drawing. */
        readonly seed?: number;
      }
    | undefined;
}

/** A data set's splits. Where `validation` is missing, take it from `train` with `splitIndices`. */
export interface OpenedDataset {
  /** As messages call it. */
  readonly name: string;
  /** Class names, of all splits. */
  readonly classes: readonly string[];
  /** To learn from. */
  readonly train: ImageDataset;
  /** To choose by, where the data set has such a part. */
  readonly validation?: ImageDataset | undefined;
  /** To measure on, where the data set has such a part. */
  readonly test?: ImageDataset | undefined;
  /** What the user should know: ignored files, a file that differs from the published one. */
  readonly notes: readonly string[];
}

/** One split and what the user should know about it. */
export interface OpenedSplit {
  /** Its images. */
  readonly dataset: ImageDataset;
  /** As in OpenedDataset. */
  readonly notes: readonly string[];
}

/**
 * Opens all splits of `cifar10`, `cifar100`, `generated`, an image folder, an unpacked CIFAR folder, a table of paths and labels
 * (.csv, .tsv), Parquet files or a folder of them, tar shards (a folder, `train-{000..012}.tar`, `shards/*.tar`), `hf:owner/name` of the Hugging Face hub, or a folder's name in
 * `<home>/datasets`. A known name wins over a folder of that name; write `./cifar10` for the folder.
 * @throws DataError, before any image is decoded, where something is missing or wrong
 */
export async function openDataset(nameOrPath: string, options: OpenOptions): Promise<OpenedDataset> {
  const source = await locate(nameOrPath, options);
  const available = await splitsOf(source);
  if (!available.includes('train')) {
    throw new DataError(`${nameOrPath}: has ${available.join(' and ')} but no train folder to learn from`);
  }
  const train = await openOne(source, 'train', options);
  const rest = { ...options, classes: train.dataset.classes };
  const left: string[] = [];
  const optional = async (split: SplitName): Promise<OpenedSplit | undefined> => {
    if (!available.includes(split)) return undefined;
    return openOne(source, split, rest).catch((error: unknown) => {
      if (!(error instanceof UnlabelledError)) throw error;
      left.push(`${error.message}; it is left out`);
      return undefined;
    });
  };
  const validation = await optional('val');
  const test = await optional('test');
  return {
    name: source.name,
    classes: train.dataset.classes,
    train: train.dataset,
    validation: validation?.dataset,
    test: test?.dataset,
    notes: [...[train, validation, test].flatMap((split) => (split ? withName(split) : [])), ...left],
  };
}

/**
 * Opens one split only. A folder with the class folders right inside has a single split, `train`, which is also what
 * `split: undefined` opens; of other data sets `undefined` opens the test images, else the validation images.
 */
export async function openSplit(
  nameOrPath: string,
  split: SplitName | undefined,
  options: OpenOptions,
): Promise<OpenedSplit> {
  const source = await locate(nameOrPath, options);
  const available = await splitsOf(source);
  const wanted = split ?? (['test', 'val', 'train'] as const).find((name) => available.includes(name)) ?? 'train';
  if (!available.includes(wanted)) {
    throw new DataError(`${nameOrPath}: has no ${wanted} split, only ${available.join(' and ')}`);
  }
  return openOne(source, wanted, options);
}

type Source =
  | { readonly kind: 'cifar'; readonly name: string; readonly format: CifarFormat; readonly folder: string | null }
  | { readonly kind: 'generated'; readonly name: string }
  | { readonly kind: 'table'; readonly name: string; readonly path: string; readonly rows: readonly TableRow[] }
  | { readonly kind: 'parquet' | 'shards'; readonly name: string; readonly splits: SplitFiles }
  | { readonly kind: 'folder'; readonly name: string; readonly path: string; readonly divided: SplitName[] | null };

async function locate(nameOrPath: string, options: OpenOptions): Promise<Source> {
  const known = nameOrPath.toLowerCase().replace(/^cifar-/, 'cifar');
  for (const format of [CIFAR10, CIFAR100]) {
    if (known === format.id) return { kind: 'cifar', name: format.title, format, folder: null };
  }
  if (known === 'generated') return { kind: 'generated', name: 'generated' };
  const hub = hubName(nameOrPath);
  if (hub) return { kind: 'parquet', name: hub.id, splits: await ensureHub(hub, options) };
  const candidates = [options.cwd === undefined ? nameOrPath : resolve(options.cwd, nameOrPath)];
  if (!/[\\/]/.test(nameOrPath)) {
    const homes = new Set([options.home, options.cacheHome]);
    for (const home of homes) if (home) candidates.push(join(home, 'datasets', nameOrPath));
  }
  for (const path of candidates) {
    const found = await statOrNull(path);
    if (!found) continue;
    if (found.isFile() && /\.[ct]sv$/i.test(path)) {
      return { kind: 'table', name: basename(path), path, rows: await readTable(path) };
    }
    if (found.isFile() && isParquetName(path)) {
      return { kind: 'parquet', name: basename(path), splits: { train: [path] } };
    }
    if (found.isFile() && isShardName(path)) return { kind: 'shards', name: shardsName(path), splits: bySplit([path]) };
    await checkFolder(path);
    for (const format of [CIFAR10, CIFAR100]) {
      if (await statOrNull(join(path, format.files.test[0] ?? ''))) {
        if (await statOrNull(join(path, format.labels.at(-1)?.names ?? ''))) {
          return { kind: 'cifar', name: format.title, format, folder: path };
        }
      }
    }
    const parquet = await findParquet(path);
    if (parquet) return { kind: 'parquet', name: basename(resolve(path)), splits: parquet };
    const shards = await findShards(path);
    if (shards) return { kind: 'shards', name: basename(resolve(path)), splits: shards };
    const folders = await findSplits(path);
    const divided = folders && (['train', 'val', 'test'] as const).filter((split) => folders[split] !== undefined);
    return { kind: 'folder', name: basename(resolve(path)), path, divided };
  }
  const matched = await matchShards(nameOrPath, options.cwd ?? process.cwd());
  if (matched) return { kind: 'shards', name: shardsName(nameOrPath), splits: matched };
  throw new DataError(
    `${nameOrPath}: neither a data set (${DATASET_NAMES.join(', ')}, hf:owner/name) nor a folder, a table (.csv), a Parquet file or tar shards; ` +
      `looked for ${candidates.join(' and ')}`,
  );
}

async function splitsOf(source: Source): Promise<readonly SplitName[]> {
  switch (source.kind) {
    case 'cifar':
    case 'generated':
      return ['train', 'test'];
    case 'folder':
      return source.divided ?? ['train'];
    case 'table':
      return splitsOfTable(source.rows);
    case 'parquet':
    case 'shards':
      return (['train', 'val', 'test'] as const).filter((split) => source.splits[split] !== undefined);
    default:
      return source satisfies never;
  }
}

async function openOne(source: Source, split: SplitName, options: OpenOptions): Promise<OpenedSplit> {
  switch (source.kind) {
    case 'cifar': {
      const folder = source.folder ?? (await ensureCifar(source.format, options));
      const dataset = await readCifar(folder, source.format, split === 'train' ? 'train' : 'test', options);
      return { dataset: checkClasses(dataset, options.classes), notes: dataset.notes };
    }
    case 'generated': {
      const sizes = { ...GENERATED, ...options.generated };
      const part = split === 'train' ? 'train' : 'test';
      const dataset = generatedDataset({ ...sizes, count: sizes[part], split: part });
      return { dataset: checkClasses(dataset, options.classes), notes: [] };
    }
    case 'folder': {
      const dataset = await openImageFolder(source.path, {
        split: source.divided ? split : undefined,
        classes: options.classes,
      });
      return { dataset, notes: dataset.notes };
    }
    case 'table': {
      const dataset = await openTable(source.path, source.rows, split, options.classes);
      return { dataset, notes: dataset.notes };
    }
    case 'parquet': {
      const cache = join(options.cacheHome ?? options.home, 'datasets', 'unpacked');
      const { name } = source;
      const dataset = await openParquet(source.splits, { name, split, cache, classes: options.classes });
      return { dataset, notes: dataset.notes };
    }
    case 'shards': {
      const cache = join(options.cacheHome ?? options.home, 'datasets', 'indexes');
      const { onIndex: onProgress, signal, classes } = options;
      const dataset = await openShards(source.splits, { name: source.name, split, cache, classes, onProgress, signal });
      return { dataset, notes: dataset.notes };
    }
    default:
      return source satisfies never;
  }
}

function checkClasses(dataset: ImageDataset, expected: readonly string[] | undefined): ImageDataset {
  if (expected && expected.join('\n') !== dataset.classes.join('\n')) {
    throw new DataError(
      `${dataset.name}: its ${dataset.classes.length} classes are not the ${expected.length} expected ones (${expected.join(', ')})`,
    );
  }
  return dataset;
}

function withName({ dataset, notes }: OpenedSplit): string[] {
  return notes.map((note) => `${dataset.name}: ${note}`);
}
