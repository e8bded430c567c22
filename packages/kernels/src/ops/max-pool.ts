// y = maximum over a window, NHWC, with explicit padding of minus infinity. tfjs's kernel 'MaxPool' on every backend.
import * as tf from '@tensorflow/tfjs-core';
import type { Padding, Pair } from './conv2d.ts';

/** The window and how it moves. */
export interface MaxPool2DOptions {
  /** Window [height, width]. */
  size: Pair;
  /** [vertical, horizontal] */
  strides: Pair;
  /** Pixels around x, which never win. */
  pad: Padding;
}

/**
 * Max-pooling; padding never wins over a pixel.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, outHeight, outWidth, channels]; outHeight = floor((height + top + bottom - size) / stride) + 1.
 */
export function maxPool2d(x: tf.Tensor4D, options: MaxPool2DOptions): tf.Tensor4D {
  const { size, strides, pad } = options;
  return tf.maxPool(x, size, strides, [[0, 0], pad[0], pad[1], [0, 0]]);
}
