// y[n, c] = mean over height and width of x[n, h, w, c]. tfjs's kernel 'Mean' on every backend.
import * as tf from '@tensorflow/tfjs-core';

/** @param x [batch, height, width, channels]; @returns [batch, channels] */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  return tf.mean(x, [1, 2]);
}
