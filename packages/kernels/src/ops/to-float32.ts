// The end of storage in float16: what comes after reads and gives float32, and the gradient before it is stored in float16.
// Kernel 'ThawToFloat32': input x, stored in float16; one output.
import * as tf from '@tensorflow/tfjs-core';
import { precisionOf } from './backend.ts';

/** The same numbers, stored in float32: x itself where it is so already. Differentiable. @param x any shape */
export function toFloat32<T extends tf.Tensor>(x: T): T {
  if (precisionOf(x) === 'float32') return x;
  return tf.engine().runKernel<T>('ThawToFloat32', { x });
}
