// sum += scale x, in place: what a captured step adds up for the host to read every few steps.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** Adds `scale` times x to a variable of the same shape. */
export function accumulate(sum: tf.Variable, x: tf.Tensor, scale = 1): void {
  const added = onThaw()
    ? tf.engine().runKernel<[tf.Tensor]>('ThawAccumulate', { sum, x }, { scale })[0]
    : tf.tidy(() => tf.add(sum, tf.mul(x, scale)));
  sum.assign(added);
  added.dispose();
}
