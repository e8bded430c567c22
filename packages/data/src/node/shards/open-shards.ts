// Tar shards as a data set: which classes the labels are, and which images have one.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, UnlabelledError } from '../../errors.ts';
import { classesOf, listed } from '../class-names.ts';
import { errorCode, explain } from '../paths.ts';
import { splitNamed, type SplitFiles, type SplitName } from '../split-names.ts';
import { StoredDataset } from '../stored/stored-dataset.ts';
import { cachedIndex, statShards } from './index-cache.ts';
import type { IndexOptions, ShardIndex } from './shard-index.ts';

export interface OpenShardsOptions extends IndexOptions {
  /** What the data set is called. */
  readonly name: string;
  readonly split: SplitName;
  /** A folder for indexes. */
  readonly cache: string;
  /** The classes of a model that exists. */
  readonly classes?: readonly string[] | undefined;
}

/** Files beside the shards, or beside the folder of a split, that name the classes. */
const CLASS_FILES = ['classes.txt', 'classes.json'];

/**
 * The images of one split. The shards are looked through once, and what was found is kept in the cache; images stay where they are.
 * @throws UnlabelledError where no image of the split has a label
 * @throws DataError where a shard is damaged, there are no images, or a label is of no class
 */
export async function openShards(
  splits: SplitFiles,
  { name, split, cache, classes: given, ...options }: OpenShardsOptions,
): Promise<StoredDataset> {
  const paths = splits[split] ?? [];
  const shards = await statShards(paths);
  const index = await cachedIndex(shards, cache, options);
  const title = `${name} ${split}`;
  const { length } = index.labels;
  if (length === 0) throw new DataError(`${title}: no images in ${listed(paths)}`);
  const where = (i: number): string => `${paths[fileAt(index, i)] ?? ''}/${index.names.at(i)}`;
  const { classes, classOf } = await labelling(title, paths, index, given, where);
  const labelled = Int32Array.from({ length }, (_, i) => i).filter((i) => (classOf[index.labels[i] ?? -1] ?? -1) >= 0);
  if (labelled.length === 0) {
    throw new UnlabelledError(`${title}: none of its ${length} images has a label (a .cls or .json file of the same name, next to it)`); // prettier-ignore
  }
  // Arrays of a million values are not held twice.
  const kept = (values: Float64Array): Float64Array =>
    labelled.length === length ? values : Float64Array.from(labelled, (i) => values[i] ?? 0);
  const facts = shards.map(({ path, size, mtimeMs }) => [basename(path), size, mtimeMs]);
  const notes: string[] = [];
  if (labelled.length < length) notes.push(`left out ${length - labelled.length} images without a label`);
  if (index.withoutImage > 0) notes.push(`left out ${index.withoutImage} samples without an image`);
  return new StoredDataset({
    name: title,
    classes,
    images: {
      files: paths,
      firsts: index.firsts.map((first) => firstNotBelow(labelled, first)),
      offsets: kept(index.offsets),
      sizes: kept(index.sizes),
    },
    labels: labelled.map((i) => classOf[index.labels[i] ?? -1] ?? -1),
    hash: createHash('sha256')
      .update(JSON.stringify([classes, facts]))
      .digest('hex'),
    describe: (image) => where(labelled[image] ?? 0),
    notes,
  });
}

interface Labelling {
  readonly classes: readonly string[];
  /** The class of each of the index's texts; -1 where it says that there is none. */
  readonly classOf: readonly number[];
}

async function labelling(
  title: string,
  paths: readonly string[],
  index: ShardIndex,
  given: readonly string[] | undefined,
  where: (image: number) => string,
): Promise<Labelling> {
  const named = await classFile(paths[0] ?? '');
  const known = new Set(named?.names);
  const firstWith = (text: number): string => where(index.labels.indexOf(text));
  const names = index.texts.map((text, i): string | undefined => {
    if (text === '-1') return undefined; // as in Hugging Face's data sets
    if (!named || known.has(text)) return text;
    const name = /^\d+$/.test(text) ? named.names[Number(text)] : undefined;
    if (name !== undefined) return name;
    throw new DataError(`${firstWith(i)}: its label ${text} is none of the ${named.names.length} classes of ${named.path}`); // prettier-ignore
  });
  const used = names.filter((name) => name !== undefined);
  const classes = given ?? named?.names ?? (used.length === 0 ? [] : classesOf(title, used));
  const positions = new Map(classes.map((name, i) => [name, i]));
  const classOf = names.map((name, i) => {
    if (name === undefined) return -1;
    const found = positions.get(name);
    if (found !== undefined) return found;
    const remedy = named ? '' : '; a file classes.txt beside the shards names the classes of numbers, one a line';
    throw new DataError(`${firstWith(i)}: its label ${name} is not one of the classes ${listed(classes)}${remedy}`);
  });
  return { classes, classOf };
}

/** The names of the classes, where there is a file of them. */
async function classFile(shard: string): Promise<{ readonly path: string; readonly names: string[] } | undefined> {
  const folder = dirname(shard);
  const folders = splitNamed(basename(folder)) ? [folder, dirname(folder)] : [folder];
  for (const path of folders.flatMap((one) => CLASS_FILES.map((name) => join(one, name)))) {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw new DataError(`${path}: the file ${explain(error)}`, { cause: error });
    });
    if (text === undefined) continue;
    const names = path.endsWith('.json') ? jsonNames(path, text) : text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean); // prettier-ignore
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) throw new DataError(`${path}: names the class ${twice} twice`);
    if (names.length < 2)
      throw new DataError(`${path}: names ${names.length} classes; a classifier needs at least two`);
    return { path, names };
  }
  return undefined;
}

function jsonNames(path: string, text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${path}: is not JSON: ${explain(error)}`, { cause: error });
  }
  if (Array.isArray(value) && value.every((name): name is string => typeof name === 'string')) return value;
  throw new DataError(`${path}: is not a list of the classes' names, as ["ants", "bees"]`);
}

function fileAt({ firsts }: ShardIndex, image: number): number {
  return firsts.findLastIndex((first) => first <= image);
}

/** Position of the first of ascending `values` that is at least `least`. */
function firstNotBelow(values: Int32Array, least: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
