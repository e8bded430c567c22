// What splits are called: folders, words of a table, names of files.

import { basename, dirname } from 'node:path';

/** A split of a data set: to learn from, to choose by, to measure on. */
export type SplitName = 'train' | 'val' | 'test';

/** Names of each split, lower case. */
export const SPLIT_NAMES: Readonly<Record<SplitName, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['val', 'validation', 'valid', 'dev'],
  test: ['test', 'testing'],
};

/** The split that a word names, in any case. */
export function splitNamed(word: string): SplitName | undefined {
  const lower = word.toLowerCase();
  return (['train', 'val', 'test'] as const).find((split) => SPLIT_NAMES[split].includes(lower));
}

/** Files of each split. */
export type SplitFiles = Readonly<Partial<Record<SplitName, readonly string[]>>>;

/**
 * Files by split: by the first word of their name that is one (train-00000-of-00002.parquet, imagenet-val-07.tar), else by the
 * folder that they lie in (train/0000.parquet), else train.
 */
export function bySplit(files: readonly string[]): SplitFiles {
  const found: Partial<Record<SplitName, string[]>> = {};
  for (const file of files) {
    const words = basename(file).split(/[-_.]/).map(splitNamed); // prettier-ignore
    const split = words.find((word) => word !== undefined) ?? splitNamed(basename(dirname(file))) ?? 'train';
    (found[split] ??= []).push(file);
  }
  return found;
}
