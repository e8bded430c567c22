// Which tar shards a name stands for: a folder, a pattern, a range in braces.

import { basename, join, resolve } from 'node:path';
import { expand } from 'brace-expansion';
import { glob, isDynamicPattern } from 'tinyglobby';
import { DataError } from '../../errors.ts';
import { statOrNull, visibleEntries } from '../paths.ts';
import { bySplit, splitNamed, type SplitFiles } from '../split-names.ts';

/** Shards in a range, at most. */
const MOST_SHARDS = 100_000;

export const isShardName = (name: string): boolean => name.toLowerCase().endsWith('.tar');

/**
 * The shards of a folder, right inside or in folders that are called as splits. Null where there are none, and where there are
 * other folders: archives beside the folders of classes are no shards.
 */
export async function findShards(folder: string): Promise<SplitFiles | null> {
  const files: string[] = [];
  const splits: string[] = [];
  for (const entry of await visibleEntries(folder)) {
    const path = join(folder, entry.name);
    if ((await statOrNull(path))?.isDirectory()) {
      if (!splitNamed(entry.name)) return null;
      splits.push(path);
    } else if (isShardName(entry.name)) files.push(path);
  }
  for (const split of splits) {
    for (const entry of await visibleEntries(split)) {
      const path = join(split, entry.name);
      if ((await statOrNull(path))?.isDirectory()) return null;
      if (isShardName(entry.name)) files.push(path);
    }
  }
  return files.length > 0 ? bySplit(files) : null;
}

/**
 * The shards of "shards/train-{000..012}.tar" or "shards/*.tar"; null for what is no such pattern.
 * @throws DataError where one of a range is missing, or nothing matches
 */
export async function matchShards(pattern: string, cwd: string): Promise<SplitFiles | null> {
  if (!isShardName(pattern) || !/[{*?[]/.test(pattern)) return null;
  const names = expand(pattern, { max: MOST_SHARDS });
  if (names.length >= MOST_SHARDS) throw new DataError(`${pattern}: stands for ${MOST_SHARDS} shards or more`);
  const files: string[] = [];
  for (const name of names) {
    const path = resolve(cwd, name);
    if (await statOrNull(path)) files.push(path);
    else if (isDynamicPattern(name))
      files.push(...(await glob(name, { cwd, absolute: true, expandDirectories: false })).sort()); // prettier-ignore
    else throw new DataError(`${pattern}: there is no ${path}`);
  }
  const once = [...new Set(files)];
  if (once.length === 0) throw new DataError(`${pattern}: no file matches this pattern`);
  return bySplit(once);
}

/** What shards are called together: "train" of "train-{000..012}.tar". */
export const shardsName = (path: string): string =>
  basename(path).replace(/\.tar$/i, '').replace(/[{*?[].*$/, '').replace(/[-_.]+$/, '') || 'shards'; // prettier-ignore
