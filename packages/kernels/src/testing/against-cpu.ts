/** The same TensorFlow.js program on tfjs-cpu and on the thaw backend of this file's device: values, shapes and dtypes. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect } from 'vitest';
import { register } from '../backend/register.ts';
import { EPSILON, expectClose } from './compare.ts';
import { gpu } from './device.ts';

export const backend = register(gpu.device);

interface Result {
  readonly values: number[];
  readonly shape: number[];
  readonly dtype: string;
}

async function on(name: string, f: () => tf.Tensor | tf.Tensor[]): Promise<Result[]> {
  await tf.setBackend(name);
  const before = tf.memory().numTensors;
  const bytes = backend.memoryReport().usedBytes;
  const outputs = [tf.tidy(f)].flat();
  const results = await Promise.all(
    outputs.map(async (y) => ({ values: [...(await y.data())], shape: y.shape, dtype: y.dtype })),
  );
  tf.dispose(outputs);
  expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  expect(backend.memoryReport().usedBytes, 'device bytes left behind').toBe(bytes);
  return results;
}

/**
 * Asserts that `f` gives the same on both, within `bound` plus `ulps` roundings of the largest value at hand, and leaves
 * nothing behind.
 */
export async function expectLikeCpu(f: () => tf.Tensor | tf.Tensor[], { ulps = 0, bound = 0 } = {}): Promise<void> {
  const want = await on('cpu', f);
  const got = await on('thaw', f);
  expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(want.map(({ shape, dtype }) => ({ shape, dtype })));
  want.forEach(({ values }, i) => {
    const largest = values.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
    expectClose(got[i]?.values ?? [], values, bound + ulps * EPSILON * largest);
  });
}
