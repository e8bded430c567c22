// A tree (CART), a forest (Breiman 2001) and boosted trees (Friedman 2001, with the Newton steps of Chen and Guestrin 2016).
import type { Features } from '../training/types.ts';
import { uniformNumbers } from '../weights/random.ts';
import { binFeatures } from './bins.ts';
import { packTrees, softmax, type EnsembleData } from './ensemble.ts';
import { growTree, type Tree, type TreeTarget } from './tree.ts';
import { ClassicalError } from './types.ts';

/** How trees are fitted. */
export interface TreesOptions {
  readonly classes: number;
  /** Of the forest; of boosting the rounds, each with a tree for each class. */
  readonly trees: number;
  /** Splits from a root to a leaf at most. */
  readonly depth: number;
  readonly seed: number;
  /** Called with the trees done, and of all. */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/** Share of its step that a boosted tree takes. */
const RATE = 0.1;
/** Rows of a leaf of boosted trees at least, and what is added to its weights. */
const BOOSTED_ROWS = 5;
const LAMBDA = 1;
/** A weight p (1 - p) is at least this, or a leaf of certain rows would be worth anything. */
const LEAST_WEIGHT = 1e-6;

/** One tree on all rows and columns. */
export function fitTree(features: Features, { classes, depth, seed }: TreesOptions): EnsembleData {
  const target = classTarget(features.labels, classes);
  const rows = Int32Array.from({ length: features.labels.length }, (_, i) => i);
  const uniform = uniformNumbers(seed);
  const tree = growTree(binFeatures(features), target, rows, { depth, leastRows: 1, lambda: 0, uniform });
  return packTrees([tree], {
    kind: 'mean',
    inputs: features.width,
    classes,
    prior: new Float32Array(classes),
  });
}

/** Trees on bootstrap samples, each split among the root of the number of columns, as scikit-learn's default is. */
export async function fitForest(features: Features, options: TreesOptions): Promise<EnsembleData> {
  const { classes, trees: count, depth, seed, onProgress } = options;
  const { labels, width } = features;
  const binned = binFeatures(features);
  const target = classTarget(labels, classes);
  const uniform = uniformNumbers(seed);
  const columns = Math.max(1, Math.round(Math.sqrt(width)));
  const trees: Tree[] = [];
  for (let t = 0; t < count; t++) {
    const rows = Int32Array.from(labels, () => Math.floor(uniform() * labels.length));
    trees.push(growTree(binned, target, rows, { depth, leastRows: 1, columns, lambda: 0, uniform }));
    await onProgress?.(t + 1, count);
  }
  return packTrees(trees, { kind: 'mean', inputs: width, classes, prior: new Float32Array(classes) });
}

/**
 * Multinomial boosting: in each round a tree for each class follows the gradient y - p of the cross-entropy, a leaf being
 * worth sum(y - p) / (sum p (1 - p) + lambda). A split tries the square root of the number of columns: with all 2048 a round
 * of ten classes would take a minute.
 */
export async function fitBoosting(features: Features, options: TreesOptions): Promise<EnsembleData> {
  const { classes, trees: rounds, depth, seed, onProgress } = options;
  const { labels, width } = features;
  const { length } = labels;
  const binned = binFeatures(features);
  const uniform = uniformNumbers(seed);
  const columns = Math.max(1, Math.round(Math.sqrt(width)));
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  if (counts.some((count) => count === 0))
    throw new ClassicalError('boosting needs an image of each class to learn from; use more training images.');
  const prior = Float32Array.from(counts, (count) => Math.log(count / length));
  const sums = Array.from({ length: classes }, (_, c) => new Float64Array(length).fill(prior[c] ?? 0));
  const rows = Int32Array.from({ length }, (_, i) => i);
  const trees: Tree[] = [];
  for (let round = 0; round < rounds; round++) {
    const probabilities = softmaxColumns(sums);
    for (const [c, sum] of sums.entries()) {
      const p = probabilities[c] ?? new Float64Array(length);
      const gradient = p.map((value, i) => (labels[i] === c ? 1 - value : -value));
      const weight = p.map((value) => Math.max(value * (1 - value), LEAST_WEIGHT));
      const target: TreeTarget = { channels: 1, gradient, weight };
      const tree = growTree(binned, target, rows, { depth, leastRows: BOOSTED_ROWS, columns, lambda: LAMBDA, uniform });
      for (const value of tree.value) for (const [i, step] of value.entries()) value[i] = RATE * step;
      addTree(tree, features, sum);
      trees.push(tree);
    }
    await onProgress?.(round + 1, rounds);
  }
  return packTrees(trees, { kind: 'boosted', inputs: width, classes, prior });
}

function classTarget(labels: Int32Array, classes: number): TreeTarget {
  const ones = new Float64Array(labels.length).fill(1);
  return { channels: classes, channel: labels, gradient: ones, weight: ones };
}

/** Softmax over classes; each class is a list over the rows. */
function softmaxColumns(sums: readonly Float64Array[]): Float64Array[] {
  const result = sums.map((sum) => new Float64Array(sum.length));
  const row = new Float64Array(sums.length);
  for (let i = 0; i < (sums[0]?.length ?? 0); i++) {
    for (const [c, sum] of sums.entries()) row[c] = sum[i] ?? 0;
    for (const [c, p] of softmax(row).entries()) {
      const column = result[c];
      if (column) column[i] = p;
    }
  }
  return result;
}

/** Adds what a tree is worth to the sum of every row. */
function addTree({ column, threshold, left, value }: Tree, { values, width }: Features, sum: Float64Array): void {
  for (let i = 0; i < sum.length; i++) {
    let node = 0;
    for (let asked = column[node] ?? -1; asked >= 0; asked = column[node] ?? -1)
      node = (left[node] ?? 0) + ((values[i * width + asked] ?? 0) <= (threshold[node] ?? 0) ? 0 : 1);
    sum[i] = (sum[i] ?? 0) + (value[node]?.[0] ?? 0);
  }
}
