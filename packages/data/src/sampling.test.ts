import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allIndices, countPerClass, shuffled, splitIndices, subset } from './sampling.ts';

const labelsOf = (n: number, classes: number) => Int32Array.from({ length: n }, (_, i) => (i * i + i) % classes);
const anyLabels = fc.array(fc.nat(6), { minLength: 2, maxLength: 300 }).map((values) => Int32Array.from(values));
const anySeed = fc.maxSafeNat();
const anyFraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });

function isAscending(values: Int32Array): boolean {
  return values.every((value, i) => i === 0 || values[i - 1]! < value);
}

describe('splitIndices', () => {
  test("the article's split of CIFAR-10: 42,500 and 7,500", () => {
    const split = splitIndices(new Int32Array(50_000), { fraction: 0.15, seed: 1 });
    expect([split.train.length, split.validation.length]).toEqual([42_500, 7_500]);
  });

  test('parts are disjoint, ascending, together everything, and neither is empty', () => {
    fc.assert(
      fc.property(anyLabels, anyFraction, anySeed, fc.boolean(), (labels, fraction, seed, stratified) => {
        const { train, validation } = splitIndices(labels, { fraction, seed, stratified });
        expect(isAscending(train) && isAscending(validation)).toBe(true);
        expect(Int32Array.from([...train, ...validation]).sort()).toEqual(allIndices(labels.length));
        expect(train.length).toBeGreaterThan(0);
        if (!stratified) expect(validation.length).toBeGreaterThan(0);
      }),
    );
  });

  test('stratified: each class gives its share to within one image and keeps one for training', () => {
    fc.assert(
      fc.property(anyLabels, fc.double({ min: 0.01, max: 0.5, noNaN: true }), anySeed, (labels, fraction, seed) => {
        const { train, validation } = splitIndices(labels, { fraction, seed, stratified: true });
        const all = countPerClass(labels, 7);
        const inTrain = countPerClass(labels, 7, train);
        const inValidation = countPerClass(labels, 7, validation);
        const ones = all.filter((count) => count === 1).length;
        const share = Math.max(1, Math.round(labels.length * fraction)) / labels.length;
        all.forEach((count, c) => {
          if (count > 0) expect(inTrain[c]).toBeGreaterThan(0);
          // Classes of a single image cannot give any: the others give that much more.
          expect(Math.abs(inValidation[c]! - count * share)).toBeLessThanOrEqual(1 + ones);
        });
      }),
    );
  });

  test('one seed gives one split, another seed another', () => {
    const labels = labelsOf(200, 5);
    const split = (seed: number) => [...splitIndices(labels, { fraction: 0.3, seed }).validation];
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });

  test('splits a part of the images only', () => {
    const indices = Int32Array.of(3, 5, 8, 13);
    const { train, validation } = splitIndices(labelsOf(20, 2), { fraction: 0.5, seed: 1, indices });
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...indices]);
  });

  test('says what a wrong share or too few images are', () => {
    for (const fraction of [0, 1, 15, -0.1, Number.NaN]) {
      expect(() => splitIndices(labelsOf(10, 2), { fraction, seed: 1 })).toThrow(
        `validation split ${fraction} is not between 0 and 1`,
      );
    }
    expect(() => splitIndices(labelsOf(1, 2), { fraction: 0.5, seed: 1 })).toThrow('cannot be split');
  });
});

describe('subset', () => {
  test('has the count, comes from the indices, ascends, and keeps shares to within one image', () => {
    fc.assert(
      fc.property(anyLabels, fc.integer({ min: 1, max: 400 }), anySeed, (labels, count, seed) => {
        const indices = allIndices(labels.length).filter((i) => i % 3 !== 1);
        const chosen = subset(labels, indices, { count, seed });
        expect(chosen.length).toBe(Math.min(count, indices.length));
        expect(isAscending(chosen)).toBe(true);
        expect(chosen.every((i) => indices.includes(i))).toBe(true);
        const before = countPerClass(labels, 7, indices);
        const after = countPerClass(labels, 7, chosen);
        before.forEach((n, c) => expect(Math.abs(after[c]! - (n * chosen.length) / indices.length)).toBeLessThan(1));
      }),
    );
  });

  test('5,000 of balanced CIFAR-10 are 500 of each class', () => {
    const labels = Int32Array.from({ length: 50_000 }, (_, i) => i % 10);
    expect([...countPerClass(labels, 10, subset(labels, allIndices(50_000), { count: 5000, seed: 4 }))]).toEqual(
      new Array(10).fill(500),
    );
  });

  test('refuses a count of none', () => {
    expect(() => subset(labelsOf(9, 3), allIndices(9), { count: 0, seed: 1 })).toThrow('give at least 1');
  });
});

describe('shuffled', () => {
  test('is a permutation and leaves its input alone', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), anySeed, (values, seed) => {
        const input = Int32Array.from(values);
        expect(shuffled(input, seed).sort()).toEqual(Int32Array.from(values).sort());
        expect([...input]).toEqual(values);
      }),
    );
  });

  test('epochs of one seed have their own orders', () => {
    const orders = [0, 1, 2].map((epoch) => shuffled(allIndices(50), 9, epoch).join());
    expect(new Set(orders).size).toBe(3);
    expect(shuffled(allIndices(50), 9).join()).toBe(orders[0]);
  });

  test('every image is first about equally often', () => {
    const counts = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 5000; seed++) counts[shuffled(allIndices(5), seed)[0]!]!++;
    // Standard deviation of a count is 28.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(4 * 28.3);
  });
});

test('countPerClass names a label out of range', () => {
  expect(() => countPerClass(Int32Array.of(0, 3), 3)).toThrow('image 1 has label 3; 3 classes have labels 0 to 2');
});
