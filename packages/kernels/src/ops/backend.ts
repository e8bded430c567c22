// Whether the current TensorFlow.js backend is thaw's, whose kernels compute an op whole; elsewhere ops are composed.
import * as tf from '@tensorflow/tfjs-core';

export const THAW_BACKEND = 'thaw';

/** True when the current backend is `thaw`. */
export function onThaw(): boolean {
  return tf.getBackend() === THAW_BACKEND;
}

/** Inputs of a kernel without the optional ones that are absent. */
export function presentInputs(inputs: Record<string, tf.Tensor | undefined>): Record<string, tf.Tensor> {
  const present: Record<string, tf.Tensor> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor !== undefined) present[name] = tensor;
  return present;
}
