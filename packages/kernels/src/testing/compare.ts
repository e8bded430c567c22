/** Random inputs by seed, and comparison against a reference within a derived bound. */
import { expect } from 'vitest';
import type { Precision } from '../wgsl/shader.ts';

/** Uniform in [-1, 1), by seed (a 32-bit linear congruential generator, Numerical Recipes' constants). */
export function random(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  next();
  return Float32Array.from({ length }, () => next() / 2 ** 31 - 1);
}

/** Uniform multiples of 2^-10 in [-1, 1], which float16 holds exactly, by seed. */
export const randomHalves = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  random(length, seed).map((v) => Math.round(1024 * v) / 1024);

/** Integers in [0, limit), by seed. */
export function randomIntegers(length: number, limit: number, seed: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(random(length, seed), (v) => Math.min(limit - 1, Math.floor(((v + 1) / 2) * limit)));
}

/** Unit roundoff of float32. */
export const EPSILON = 2 ** -24;

/**
 * Bound on the error of a float32 sum of `terms` products of factors of size at most 1: each of the `terms` roundings
 * is at most EPSILON of a partial sum of size at most `terms`, of which sqrt-like cancellation leaves far less;
 * 4 k EPSILON holds for any order of summation on uniform data.
 */
export const sumBound = (terms: number): number => 4 * Math.max(terms, 1) * EPSILON;

/**
 * Bounds on what is computed within `bound` of `want` and then stored: rounding to float16 adds half a unit in the last place,
 * 2^-11 of the number or, of the smallest, 2^-25.
 */
export function storedBound(
  want: ArrayLike<number>,
  bound: number | ArrayLike<number>,
  precision: Precision,
): Float64Array {
  return Float64Array.from(want, (v, i) => {
    const before = typeof bound === 'number' ? bound : (bound[i] ?? 0);
    return precision === 'float32' ? before : before + 2 ** -11 * (Math.abs(v) + before) + 2 ** -25;
  });
}

/** Asserts |got - want| <= bound for every element; on failure prints the first mismatches beside their neighbours. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, bound: number | ArrayLike<number>): void {
  expect(got.length, 'number of elements').toBe(want.length);
  const bad: number[] = [];
  for (let i = 0; i < want.length && bad.length < 5; i++) {
    const limit = typeof bound === 'number' ? bound : (bound[i] ?? 0);
    const a = got[i] ?? NaN;
    const b = want[i] ?? NaN;
    const same = Object.is(a, b) || a === b || Math.abs(a - b) <= limit;
    if (!same) bad.push(i);
  }
  if (bad.length === 0) return;
  const rows = bad.flatMap((i) =>
    [i - 1, i, i + 1]
      .filter((j) => j >= 0 && j < want.length)
      .map(
        (j) =>
          `${j === i ? '>' : ' '} [${j}] got ${got[j]}, want ${want[j]}, off by ${Math.abs((got[j] ?? NaN) - (want[j] ?? NaN))}`,
      ),
  );
  expect.fail(
    `${bad.length === 5 ? 'at least ' : ''}${bad.length} elements off by more than ${typeof bound === 'number' ? bound : 'their bounds'}:\n${rows.join('\n')}`,
  );
}
