// Seeded choices of images: a train/validation split, a stratified subset, an order.

import { DataError } from './errors.ts';
import { Random } from './random.ts';

/** How images are split into training and validation. */
export interface SplitOptions {
  /** Share that goes to validation, above 0 and below 1; rounded to whole images. */
  readonly fraction: number;
  /** Same seed, same split. */
  readonly seed: number;
  /** Gives every class the same share, to within one image. Default false. */
  readonly stratified?: boolean | undefined;
  /** Splits only these images; default all of `labels`. */
  readonly indices?: Int32Array | undefined;
}

/**
 * Splits images at random into train and validation. Both results ascend and together are the images given.
 * Neither is empty, and a stratified split never takes the last image of a class from training.
 */
export function splitIndices(
  labels: Int32Array,
  { fraction, seed, stratified = false, indices = allIndices(labels.length) }: SplitOptions,
): {
  /** Images to learn from, ascending. */
  train: Int32Array;
  /** Images held out, ascending. */
  validation: Int32Array;
} {
  if (!(fraction > 0 && fraction < 1)) {
    throw new DataError(`validation split ${fraction} is not between 0 and 1; 0.15 holds out 15 % of the images`);
  }
  if (indices.length < 2) throw new DataError(`${indices.length} image(s) cannot be split into train and validation`);
  const count = Math.min(indices.length - 1, Math.max(1, Math.round(indices.length * fraction)));
  const random = Random.fromSeed(seed, 'split');
  const groups = stratified ? byLabel(labels, indices) : [Int32Array.from(indices)];
  const counts = apportion(
    groups.map((group) => group.length),
    groups.map((group) => group.length - 1),
    count,
    random,
  );
  return choose(groups, counts, random);
}

/**
 * A random subset of `indices` in which every class keeps its share to within one image. Ascends.
 * `count` at or above the number of images gives all of them.
 */
export function subset(
  labels: Int32Array,
  indices: Int32Array,
  { count, seed }: { readonly count: number; readonly seed: number },
): Int32Array {
  if (!Number.isInteger(count) || count < 1) throw new DataError(`a subset of ${count} images: give at least 1`);
  if (count >= indices.length) return Int32Array.from(indices).sort();
  const random = Random.fromSeed(seed, 'subset');
  const groups = byLabel(labels, indices);
  const sizes = groups.map((group) => group.length);
  return choose(groups, apportion(sizes, sizes, count, random), random).validation;
}

/** `indices` in a random order: the same for the same seed and epoch, on every platform. */
export function shuffled(indices: Int32Array, seed: number, epoch = 0): Int32Array {
  const order = Int32Array.from(indices);
  Random.fromSeed(seed, `shuffle/${epoch}`).shuffle(order);
  return order;
}

/** 0, 1, ... length - 1. */
export function allIndices(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i);
}

/** How many images each class has; `labels` outside 0 to `classes - 1` are a RangeError. */
export function countPerClass(labels: Int32Array, classes: number, indices = allIndices(labels.length)): Int32Array {
  const counts = new Int32Array(classes);
  for (const index of indices) {
    const label = labelOf(labels, index);
    if (label < 0 || label >= classes) {
      throw new RangeError(`image ${index} has label ${label}; ${classes} classes have labels 0 to ${classes - 1}`);
    }
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}

function labelOf(labels: Int32Array, index: number): number {
  const label = labels[index];
  if (label === undefined) throw new RangeError(`no image ${index}; there are ${labels.length}, counted from 0`);
  return label;
}

/** Images of each label, labels ascending. */
function byLabel(labels: Int32Array, indices: Int32Array): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (const index of indices) {
    const label = labelOf(labels, index);
    const group = groups.get(label);
    if (group) group.push(index);
    else groups.set(label, [index]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => Int32Array.from(group));
}

/**
 * Shares `total` among groups in proportion to their sizes (largest remainder), at most `limits[g]` each.
 * Equal remainders are ranked at random, so that no class is favoured by its name.
 */
function apportion(sizes: readonly number[], limits: readonly number[], total: number, random: Random): number[] {
  const sum = sizes.reduce((a, b) => a + b, 0);
  const counts = sizes.map((size, g) => Math.min(limits[g] ?? 0, Math.floor((size * total) / sum)));
  const ranks = sizes.map((_, g) => g);
  random.shuffle(ranks);
  // Integer remainders: exact, where fractions of doubles might tie or not by rounding.
  ranks.sort((a, b) => (((sizes[b] ?? 0) * total) % sum) - (((sizes[a] ?? 0) * total) % sum));
  let missing = total - counts.reduce((a, b) => a + b, 0);
  for (let progress = true; missing > 0 && progress;) {
    progress = false;
    for (const g of ranks) {
      const count = counts[g] ?? 0;
      if (missing === 0 || count >= (limits[g] ?? 0)) continue;
      counts[g] = count + 1;
      missing--;
      progress = true;
    }
  }
  return counts;
}

function choose(groups: readonly Int32Array[], counts: readonly number[], random: Random) {
  const train: number[] = [];
  const validation: number[] = [];
  groups.forEach((group, g) => {
    random.shuffle(group);
    const count = counts[g] ?? 0;
    for (let i = 0; i < group.length; i++) (i < count ? validation : train).push(group[i] ?? 0);
  });
  return { train: Int32Array.from(train).sort(), validation: Int32Array.from(validation).sort() };
}
