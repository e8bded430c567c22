// y = relu(x * kernel + bias): a dense layer of a head.
// Kernel 'ThawDense': inputs x, kernel, bias; attribute relu; one output.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** What dense does beside multiplying. */
export interface DenseOptions {
  /** Default false. */
  relu?: boolean;
}

/**
 * @param x [batch, inputs]
 * @param kernel [inputs, outputs]
 * @param bias [outputs]
 * @returns [batch, outputs]
 */
export function dense(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D, options: DenseOptions = {}): tf.Tensor2D {
  const { relu = false } = options;
  if (onThaw()) return tf.engine().runKernel<tf.Tensor2D>('ThawDense', { x, kernel, bias }, { relu });
  return tf.fused.matMul({ a: x, b: kernel, bias, activation: relu ? 'relu' : 'linear' }) as tf.Tensor2D;
}
