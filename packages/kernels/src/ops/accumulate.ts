// sum += scale x, in place: what a captured step adds up for the host to read every few steps.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** Adds `scale` times x to a variable of the same shape. With `anew` to nothing, whatever the variable was; default false. */
export function accumulate(sum: tf.Variable, x: tf.Tensor, scale = 1, { anew = false }: { anew?: boolean } = {}): void {
  const added = onThaw()
    ? tf.engine().runKernel<[tf.Tensor]>('ThawAccumulate', { sum, x }, { scale, anew })[0]
    : tf.tidy(() => (anew ? tf.mul(x, scale) : tf.add(sum, tf.mul(x, scale))));
  sum.assign(added);
  added.dispose();
}
