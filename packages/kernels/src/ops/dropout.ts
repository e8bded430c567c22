// Dropout whose mask is made on the device, from a seed that the host sets before each step.
// Kernel 'ThawDropout': inputs x, seed [1] int32; attributes rate, salt; one output. Its gradient is itself.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';
import type { HostVector } from './host-vector.ts';

/** How much is dropped. */
export type DropoutAttributes = {
  /** Probability, in [0, 1). */
  rate: number;
  /** A whole number that tells apart the dropouts of one step. */
  salt: number;
};

/**
 * Zeroes each element with probability `rate` and divides the others by 1 - rate.
 *
 * @param seed int32 [1]; another value, another mask
 * @param salt tells apart the dropouts of one step
 */
export function dropout<T extends tf.Tensor>(x: T, { rate, salt }: DropoutAttributes, seed: HostVector): T {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: the rate must be in [0, 1), got ${rate}.`);
  if (rate === 0) return tf.clone(x);
  if (!onThaw()) return tf.dropout(x, rate, undefined, (seed.values[0] ?? 0) * 65_537 + salt) as T;
  return tf.engine().runKernel<T>('ThawDropout', { x, seed: seed.tensor }, { rate, salt });
}
