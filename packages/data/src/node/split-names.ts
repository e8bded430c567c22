// What splits are called: folders, words of a table, names of files.

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
