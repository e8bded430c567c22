// One optimizer step on one parameter tensor.
//   Adam  m' = beta1 m + (1 - beta1) g,  v' = beta2 v + (1 - beta2) g^2,
//         value' = value (1 - learningRate weightDecay) - learningRate sqrt(1 - beta2^t)/(1 - beta1^t) m' / (sqrt(v') + epsilon)
//         (Keras's place for epsilon: after the bias correction is taken out; weight decay decoupled, as AdamW)
//   SGD   g' = g + weightDecay value,  velocity' = momentum velocity + g',
//         value' = value - learningRate (nesterov ? g' + momentum velocity' : velocity')   (PyTorch's form)
// Kernels 'ThawAdam' (inputs value, gradient, m, v; outputs [value, m, v]) and
// 'ThawSgd' (inputs value, gradient, velocity?; outputs [value] or [value, velocity]).
import * as tf from '@tensorflow/tfjs-core';
import { onThaw, presentInputs } from './backend.ts';

export type AdamAttributes = {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Number of this step, from 1. */
  step: number;
  weightDecay: number;
};

export type AdamOptions = Omit<AdamAttributes, 'weightDecay'> & { weightDecay?: number };

export interface AdamTensors {
  value: tf.Tensor;
  gradient: tf.Tensor;
  m: tf.Tensor;
  v: tf.Tensor;
}

/**
 * One Adam step; all tensors have one shape.
 * The returned tensors replace value, m and v, which the backend may have reused: assign them and use the old no more.
 */
export function adamStep(tensors: AdamTensors, options: AdamOptions): { value: tf.Tensor; m: tf.Tensor; v: tf.Tensor } {
  const { value, gradient, m, v } = tensors;
  const { learningRate, beta1, beta2, epsilon, step } = options;
  const weightDecay = options.weightDecay ?? 0;
  if (onThaw()) {
    const attributes: AdamAttributes = { learningRate, beta1, beta2, epsilon, step, weightDecay };
    const [newValue, newM, newV] = tf
      .engine()
      .runKernel<[tf.Tensor, tf.Tensor, tf.Tensor]>('ThawAdam', { value, gradient, m, v }, attributes);
    return { value: newValue, m: newM, v: newV };
  }
  return tf.tidy(() => {
    const newM = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const newV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    const update = tf.mul(tf.div(newM, tf.add(tf.sqrt(newV), epsilon)), rate);
    const decayed = weightDecay === 0 ? value : tf.mul(value, 1 - learningRate * weightDecay);
    return { value: tf.sub(decayed, update), m: newM, v: newV };
  });
}

export type SgdAttributes = { learningRate: number; momentum: number; weightDecay: number; nesterov: boolean };

export interface SgdOptions {
  learningRate: number;
  /** 0: plain gradient descent, no velocity needed. */
  momentum: number;
  weightDecay?: number;
  nesterov?: boolean;
}

export interface SgdTensors {
  value: tf.Tensor;
  gradient: tf.Tensor;
  /** Needed when momentum is not 0; zeros at first. */
  velocity?: tf.Tensor;
}

/**
 * One step of gradient descent; all tensors have one shape.
 * The returned tensors replace value and velocity, which the backend may have reused: assign them and use the old no more.
 */
export function sgdStep(tensors: SgdTensors, options: SgdOptions): { value: tf.Tensor; velocity?: tf.Tensor } {
  const { value, gradient, velocity } = tensors;
  const { learningRate, momentum } = options;
  const weightDecay = options.weightDecay ?? 0;
  const nesterov = options.nesterov ?? false;
  if (momentum !== 0 && !velocity)
    throw new Error(`sgdStep: momentum ${momentum} needs a velocity; start it with zeros.`);
  if (onThaw()) {
    const attributes: SgdAttributes = { learningRate, momentum, weightDecay, nesterov };
    const [newValue, newVelocity] = tf
      .engine()
      .runKernel<[tf.Tensor] | [tf.Tensor, tf.Tensor]>(
        'ThawSgd',
        presentInputs({ value, gradient, velocity }),
        attributes,
      );
    return newVelocity ? { value: newValue, velocity: newVelocity } : { value: newValue };
  }
  return tf.tidy(() => {
    const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(value, weightDecay));
    if (!velocity) return { value: tf.sub(value, tf.mul(decayed, learningRate)) };
    const newVelocity = tf.add(tf.mul(velocity, momentum), decayed);
    const direction = nesterov ? tf.add(decayed, tf.mul(newVelocity, momentum)) : newVelocity;
    return { value: tf.sub(value, tf.mul(direction, learningRate)), velocity: newVelocity };
  });
}
