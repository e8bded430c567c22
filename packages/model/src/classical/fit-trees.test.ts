// Trees by hand: Gini's splits, forests by seed, the Newton step of a boosted leaf; and all three on points they must tell.
import { describe, expect, test } from 'vitest';
import type { Features } from '../training/types.ts';
import { uniformNumbers } from '../weights/random.ts';
import { binFeatures, MAX_BINS } from './bins.ts';
import { TreeEnsemble } from './ensemble.ts';
import { fitBoosting, fitForest, fitTree } from './fit-trees.ts';
import { ClassicalError } from './types.ts';

const features = (rows: readonly (readonly number[])[], labels: readonly number[]): Features => ({
  values: Float32Array.from(rows.flat()),
  labels: Int32Array.from(labels),
  width: rows[0]!.length,
});
const options = { classes: 2, trees: 1, depth: 4, seed: 1 };

describe('bins', () => {
  test('few values have a bin each, cut in the middle', () => {
    const { bins, edges } = binFeatures(features([[1], [3], [3], [8]], [0, 0, 0, 0]));
    expect([...edges[0]!]).toEqual([2, 5.5]);
    expect([...bins[0]!]).toEqual([0, 1, 1, 2]);
  });

  test('neighbours of float32 are told apart', () => {
    const next = Math.fround(1 + 2 ** -23);
    const { bins } = binFeatures(features([[1], [next]], [0, 0]));
    expect([...bins[0]!]).toEqual([0, 1]);
  });

  test('many values fall evenly into 64 bins', () => {
    const { bins, edges } = binFeatures(features(Array.from({ length: 6400 }, (_, i) => [i]), Array<number>(6400).fill(0))); // prettier-ignore
    const counts = new Array<number>(MAX_BINS).fill(0);
    for (const bin of bins[0]!) counts[bin]!++;
    expect(edges[0]).toHaveLength(MAX_BINS - 1);
    expect(counts).toEqual(new Array<number>(MAX_BINS).fill(100));
  });

  test('a value that most rows have keeps its own bin', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => [i < 900 ? 0 : i]);
    const { bins, edges } = binFeatures(features(rows, Array<number>(1000).fill(0)));
    expect(new Set(bins[0]!.subarray(0, 900))).toEqual(new Set([0]));
    expect(bins[0]![900]).toBeGreaterThan(0);
    expect([...edges[0]!]).toEqual([...edges[0]!].sort((a, b) => a - b));
  });
});

describe('a tree', () => {
  test("splits where Gini's impurity falls most", async () => {
    // Column 0 splits 4 to 2 with one wrong; column 1 tells them all at 5.
    const rows = [[1, 1], [1, 2], [9, 3], [9, 7], [9, 8], [9, 9]]; // prettier-ignore
    const tree = fitTree(features(rows, [0, 0, 0, 1, 1, 1]), options);
    expect([...tree.column]).toEqual([1, -1, -1]);
    expect(tree.threshold[0]).toBe(5);
    const model = new TreeEnsemble(tree);
    expect([...(await model.probabilities(Float32Array.of(9, 5, 1, 5.1), 2))]).toEqual([1, 0, 0, 1]);
  });

  test('a leaf answers with the shares of its rows', async () => {
    // No split can be had: all columns are constant.
    const tree = fitTree(features([[1], [1], [1], [1]], [0, 1, 1, 1]), options);
    expect([...(await new TreeEnsemble(tree).probabilities(Float32Array.of(0), 1))]).toEqual([0.25, 0.75]);
  });

  test('is no deeper than it may be', () => {
    const rows = Array.from({ length: 16 }, (_, i) => [i]);
    const labels = rows.map((_, i) => i % 2);
    expect(fitTree(features(rows, labels), { ...options, depth: 1 }).column).toHaveLength(3);
    expect(fitTree(features(rows, labels), { ...options, depth: 16 }).column).toHaveLength(31);
  });
});

describe('boosting', () => {
  // Two rows of class 0 at x = 0, six of class 1 at x = 1: five rows a leaf at least, so no split.
  test('starts from the shares of the classes, where a leaf has no step to take', async () => {
    const model = await fitBoosting(features([[0], [0], [1], [1], [1], [1], [1], [1]], [0, 0, 1, 1, 1, 1, 1, 1]), { ...options, trees: 3 }); // prettier-ignore
    const [p0, p1] = await new TreeEnsemble(model).probabilities(Float32Array.of(0), 1);
    expect(p0).toBeCloseTo(0.25, 6);
    expect(p1).toBeCloseTo(0.75, 6);
  });

  test('takes the Newton step of each leaf', async () => {
    const rows = [...Array<number[]>(6).fill([0]), ...Array<number[]>(6).fill([1])];
    const labels = [...Array<number>(6).fill(0), ...Array<number>(6).fill(1)];
    const { value, column } = await fitBoosting(features(rows, labels), options);
    expect([...column]).toEqual([0, -1, -1, 0, -1, -1]);
    // p = 1/2: six gradients of +-1/2 over six weights of 1/4 and lambda = 1, times the rate: +-0.1 * 3 / 2.5.
    expect([...value].map((step) => Number(step.toFixed(6)))).toEqual([0, 0.12, -0.12, 0, -0.12, 0.12]);
  });

  test('wants every class', async () => {
    await expect(fitBoosting(features([[0], [1]], [0, 0]), options)).rejects.toThrow(ClassicalError);
  });
});

/** Three classes around three corners, with a column of noise; the corners are 4 apart, the noise is at most 1. */
function corners(count: number, seed: number): Features {
  const uniform = uniformNumbers(seed);
  const labels = Array.from({ length: count }, (_, i) => i % 3);
  const rows = labels.map((label) => [
    (label === 1 ? 4 : 0) + 2 * uniform() - 1,
    (label === 2 ? 4 : 0) + 2 * uniform() - 1,
    uniform(),
  ]);
  return features(rows, labels);
}

test.each(['tree', 'forest', 'boosting'] as const)('%s tells separate classes, the same by seed', async (kind) => {
  const fit = async () => {
    const three = { classes: 3, trees: 20, depth: 4, seed: 7 };
    const train = corners(90, 1);
    if (kind === 'tree') return fitTree(train, three);
    return kind === 'forest' ? fitForest(train, three) : fitBoosting(train, three);
  };
  const data = await fit();
  expect(await fit()).toEqual(data);
  const fresh = corners(60, 2);
  const probabilities = await new TreeEnsemble(data).probabilities(fresh.values, 60);
  for (const [i, label] of fresh.labels.entries()) {
    const row = [...probabilities.subarray(3 * i, 3 * i + 3)];
    expect(row.indexOf(Math.max(...row)), `row ${i}`).toBe(label);
    expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  }
});

test.each([
  ['a child before its parent', { left: Int32Array.of(0, -1, -1) }],
  ['a child that is not there', { left: Int32Array.of(2, -1, -1) }],
  ['a column that is not there', { column: Int32Array.of(3, -1, -1) }],
  ['a root that is not there', { roots: Int32Array.of(3) }],
  ['lists of different lengths', { threshold: Float32Array.of(0) }],
])('trees with %s are refused', (_, damage) => {
  const sound = fitTree(features([[0], [1]], [0, 1]), options);
  expect(() => new TreeEnsemble({ ...sound, ...damage })).toThrow(ClassicalError);
});
