// y[n, c] = mean over height and width of x[n, h, w, c].
// Kernel 'ThawGlobalAveragePool': input x; attributes GlobalAveragePoolAttributes; one output.
import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../wgsl/shader.ts';
import { onThaw, precisionOf } from './backend.ts';

/** Size of x's image and how it is stored: its gradient's, too. */
export type GlobalAveragePoolAttributes = { height: number; width: number; precision: Precision };

/** @param x [batch, height, width, channels]; @returns [batch, channels] */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  if (!onThaw()) return tf.mean(x, [1, 2]);
  const [, height, width] = x.shape;
  const attributes: GlobalAveragePoolAttributes = { height, width, precision: precisionOf(x) };
  return tf.engine().runKernel('ThawGlobalAveragePool', { x }, attributes);
}
