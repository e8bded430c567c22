// Storage in float16: half the memory and traffic; kernels compute in float32 and give what they are given. To TensorFlow.js
// such a tensor is float32, as what is read of it is; a kernel that knows no float16 gets a float32 copy.
// Kernel 'ThawToFloat16': input x; one output.
import * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';
import { onThaw } from './backend.ts';

/** Whether the current backend can store tensors in float16. */
export function hasFloat16(): boolean {
  return currentThaw()?.gpu.device.features.has('shader-f16') ?? false;
}

/**
 * The same numbers, stored in float16: rounded to 11 binary digits, infinite beyond 65504. Differentiable; the gradient is
 * passed on.
 *
 * @param x any shape
 * @throws when the current backend cannot (hasFloat16)
 */
export function toFloat16<T extends tf.Tensor>(x: T): T {
  if (!hasFloat16())
    throw new Error(
      `toFloat16: ${onThaw() ? 'this device has no shader-f16 feature' : `the ${tf.getBackend()} backend has no float16`}; compute in float32.`,
    );
  return tf.engine().runKernel<T>('ThawToFloat16', { x });
}
