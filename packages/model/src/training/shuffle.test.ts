import { expect, test } from 'vitest';
import { epochOrder, permutation } from './shuffle.ts';

test("an epoch's order is the source's own, of kept features any permutation", () => {
  const own = Int32Array.of(2, 0, 1);
  const asked: number[][] = [];
  const source = { length: 3, order: (seed: number, epoch: number) => (asked.push([seed, epoch]), own) };
  expect(epochOrder(source, undefined, 7, 2)).toBe(own);
  expect(asked).toEqual([[7, 2]]);
  const features = { values: new Float32Array(5), labels: new Int32Array(5), width: 1 };
  expect(epochOrder(source, features, 7, 2)).toEqual(permutation(5, 7, 2));
  expect(epochOrder({ length: 3 }, undefined, 7, 2)).toEqual(permutation(3, 7, 2));
  expect(epochOrder({ length: 3, order: () => undefined }, undefined, 7, 2)).toEqual(permutation(3, 7, 2));
  expect([...permutation(5, 7, 2)].sort()).toEqual([0, 1, 2, 3, 4]);
});
