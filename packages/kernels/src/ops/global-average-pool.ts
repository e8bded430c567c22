// y[n, c] = mean over height and width of x[n, h, w, c].
// Kernel 'ThawGlobalAveragePool': input x; attributes GlobalAveragePoolAttributes; one output.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** Size of x's image, which the gradient needs. */
export type GlobalAveragePoolAttributes = { height: number; width: number };

/** @param x [batch, height, width, channels]; @returns [batch, channels] */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  if (!onThaw()) return tf.mean(x, [1, 2]);
  const [, height, width] = x.shape;
  const attributes: GlobalAveragePoolAttributes = { height, width };
  return tf.engine().runKernel('ThawGlobalAveragePool', { x }, attributes);
}
