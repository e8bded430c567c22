// y = relu(x * kernel + bias): a dense layer. tfjs's kernel '_FusedMatMul' on every backend.
import * as tf from '@tensorflow/tfjs-core';

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
  return tf.fused.matMul({ a: x, b: kernel, bias, activation: options.relu ? 'relu' : 'linear' }) as tf.Tensor2D;
}
