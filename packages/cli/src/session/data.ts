// The parts of a data set that a run trains, validates and tests on.
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { allIndices, splitIndices, subset, type ImageDataset } from '@thaw/data';
import {
  DATASET_NAMES,
  openDataset,
  openSplit,
  type OpenedDataset,
  type OpenedSplit,
  type OpenOptions,
} from '@thaw/data/node';
import { UsageError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import type { ByteActivity, ByteProgress } from '../progress/bytes.ts';
import type { Homes } from './home.ts';

/** Some images of a data set. */
export interface Part {
  readonly dataset: ImageDataset;
  readonly indices: Int32Array;
}

export interface RunData {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: Part;
  readonly validation: Part | undefined;
  readonly test: Part | undefined;
  readonly notes: readonly string[];
}

export type DataSettings = Pick<Settings, 'data' | 'seed'> &
  Pick<SomeSettings, 'limitTrain' | 'limitTest' | 'validationSplit' | 'stratified'>;

/** What opening a data set needs besides its name. */
export interface DataPlace {
  /** The folder that a relative path starts from. */
  readonly cwd: string;
  readonly homes: Homes;
  readonly progress?: ByteProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Fetch what is missing; default true. */
  readonly download?: boolean | undefined;
}

/** Opens a data set and divides it as the settings say. */
export async function openRunData(settings: DataSettings, place: DataPlace): Promise<RunData> {
  return divide(await openData(settings.data, place), settings);
}

/** Opens a data set, to be divided. */
export function openData(data: string, place: DataPlace): Promise<OpenedDataset> {
  return withProgress(place, (told) => openDataset(data, { ...options(place), ...told }));
}

/** Divides an opened data set as the settings say. */
export function divide(opened: OpenedDataset, settings: Omit<DataSettings, 'data'>): RunData {
  const { seed, limitTrain, limitTest, validationSplit = 0.15, stratified = false } = settings;
  let train = allIndices(opened.train.length);
  if (limitTrain !== undefined) train = subset(opened.train.labels, train, { count: limitTrain, seed });
  let validation: Part | undefined;
  if (opened.validation) {
    validation = { dataset: opened.validation, indices: allIndices(opened.validation.length) };
  } else {
    const split = splitIndices(opened.train.labels, { fraction: validationSplit, seed, stratified, indices: train });
    train = split.train;
    validation = { dataset: opened.train, indices: split.validation };
  }
  const { test } = opened;
  return {
    name: opened.name,
    classes: opened.classes,
    train: { dataset: opened.train, indices: train },
    validation,
    test: test && { dataset: test, indices: limited(test, limitTest, seed) },
    notes: opened.notes,
  };
}

/** Opens one part of a data set; `validation` of a data set without such a part is an error of @thaw/data. */
export async function openPart(
  data: string,
  split: Settings['split'] | undefined,
  place: DataPlace,
  classes?: readonly string[],
): Promise<OpenedSplit> {
  const name = split === 'validation' ? 'val' : split;
  return withProgress(place, (told) =>
    openSplit(data, name, { ...options(place), ...told, ...(classes && { classes }) }),
  );
}

/** A seeded subset, or all of it. */
export function limited(dataset: ImageDataset, limit: number | undefined, seed: number): Int32Array {
  const all = allIndices(dataset.length);
  return limit === undefined ? all : subset(dataset.labels, all, { count: limit, seed });
}

/** "0:16" of a part's images. @throws UsageError where the range holds none */
export function ranged(indices: Int32Array, range: string | undefined): Int32Array {
  if (range === undefined) return indices;
  const [from = '', to = ''] = range.split(':');
  const chosen = indices.subarray(from === '' ? 0 : Number(from), to === '' ? indices.length : Number(to));
  if (chosen.length === 0) throw new UsageError(`--range: ${range} holds none of the ${indices.length} images.`);
  return chosen;
}

/** A key for what a part holds: the data set's content and which images of it, in order. */
export function partHash({ dataset, indices }: Part): string {
  return createHash('sha256')
    .update(dataset.hash)
    .update(new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength))
    .digest('hex');
}

/** A data set's name as a part of a folder's name. */
export function dataSlug(data: string): string {
  const known = DATASET_NAMES.find((name) => name === data.toLowerCase().replace(/^cifar-/, 'cifar'));
  const slug = (known ?? basename(resolve(data)).replace(/[{*?[].*$|\.tar$/i, ''))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return slug || 'data';
}

const options = ({ cwd, homes, signal, download }: DataPlace) => ({
  cwd,
  home: homes.home,
  cacheHome: homes.cacheHome,
  ...(signal && { signal }),
  ...(download !== undefined && { download }),
});

async function withProgress<T>(
  { progress }: DataPlace,
  open: (told: Required<Pick<OpenOptions, 'onProgress' | 'onIndex'>>) => Promise<T>,
): Promise<T> {
  let shown: ByteActivity | undefined;
  const show = (activity: ByteActivity, name: string, done: number, total: number | null): void => {
    if (shown !== activity) {
      if (shown) progress?.stop();
      progress?.start(name, activity);
    }
    shown = activity;
    progress?.update(done, total);
  };
  try {
    return await open({
      onProgress: ({ receivedBytes, totalBytes }) => show('download', 'data set', receivedBytes, totalBytes),
      onIndex: (done, total) => show('index', 'tar shards', done, total),
    });
  } finally {
    if (shown) progress?.stop();
  }
}
