// What property tests draw from: small shapes, and values by seed. A fixed seed and a bounded number of runs; a failure
// prints the smallest case that fails.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { random, randomIntegers } from './compare.ts';

/** Runs `run` on cases that are the same each time. */
export const check = <T>(cases: fc.Arbitrary<T>, run: (value: T) => Promise<void>, numRuns = 60): Promise<void> =>
  fc.assert(fc.asyncProperty(cases, run), { seed: 20_261_124, numRuns, verbose: false });

export const size = fc.integer({ min: 1, max: 5 });
/** Dimensions of none are rare, or no other case would be seen. */
export const sizeOrNone = fc.oneof({ weight: 14, arbitrary: size }, { weight: 1, arbitrary: fc.constant(0) });
export const shapeOf = (min: number, max: number, dims = size): fc.Arbitrary<number[]> =>
  fc.array(dims, { minLength: min, maxLength: max });
export const elements = (shape: readonly number[]): number => tf.util.sizeFromShape([...shape]);
/** In [-1, 1). */
export const floats = (shape: number[], seed = 1): tf.Tensor => tf.tensor(random(elements(shape), seed), shape);
/** From -3 to 3. */
export const integers = (shape: number[], seed = 1): tf.Tensor =>
  tf.sub(tf.tensor(randomIntegers(elements(shape), 7, seed), shape, 'int32'), tf.scalar(3, 'int32'));
/** Places in [0, limit). */
export const places = (shape: number[], limit: number, seed = 5): tf.Tensor =>
  tf.tensor(randomIntegers(elements(shape), limit, seed), shape, 'int32');
export const dtypes = fc.constantFrom('float32' as const, 'int32' as const);
export const values = (dtype: string, shape: number[], seed?: number): tf.Tensor =>
  dtype === 'int32' ? integers(shape, seed) : floats(shape, seed);
