// Whether the current TensorFlow.js backend is one of Thaw's, whose kernels compute an op whole; elsewhere ops are composed.
import type * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';
import type { Precision } from '../wgsl/shader.ts';

/** True when the current backend is Thaw's, under whatever name. */
export function onThaw(): boolean {
  return currentThaw() !== undefined;
}

/** How the current backend stores a tensor's numbers. */
export function precisionOf(tensor: tf.Tensor): Precision {
  return currentThaw()?.precisionOf(tensor) ?? 'float32';
}

/** Inputs of a kernel without the optional ones that are absent. */
export function presentInputs(inputs: Record<string, tf.Tensor | undefined>): Record<string, tf.Tensor> {
  const present: Record<string, tf.Tensor> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor !== undefined) present[name] = tensor;
  return present;
}
