// One optimizer step on one parameter tensor.
//   Adam  m' = beta1 m + (1 - beta1) g,  v' = beta2 v + (1 - beta2) g^2,
//         value' = value (1 - learningRate weightDecay) - learningRate sqrt(1 - beta2^t)/(1 - beta1^t) m' / (sqrt(v') + epsilon)
//         (Keras's place for epsilon: after the bias correction is taken out; weight decay decoupled, as AdamW)
//   SGD   g' = g + weightDecay value,  velocity' = momentum velocity + g',
//         value' = value - learningRate (nesterov ? g' + momentum velocity' : velocity')   (PyTorch's form)
// Rates are tensors, not attributes: a captured step reads those of each replay.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw, presentInputs } from './backend.ts';

/** What of Adam stays the same in all steps. */
export type AdamAttributes = {
  /** Share of itself that the first moment keeps. */
  beta1: number;
  /** Share of itself that the second moment keeps. */
  beta2: number;
  /** Added to the root of the second moment. */
  epsilon: number;
};

/** What of Adam changes from step to step. */
export interface AdamSchedule {
  /** Of this step. */
  learningRate: number;
  /** Share of itself that the first moment keeps. */
  beta1: number;
  /** Share of itself that the second moment keeps. */
  beta2: number;
  /** Number of this step, from 1. */
  step: number;
  /** Default 0. */
  weightDecay?: number;
}

/**
 * What of an Adam step changes from step to step: [learningRate sqrt(1 - beta2^t) / (1 - beta1^t),
 * 1 - learningRate weightDecay]. @throws when steps are not counted from 1
 */
export function adamRates({ learningRate, beta1, beta2, step, weightDecay = 0 }: AdamSchedule): [number, number] {
  checkStep(step);
  return [(learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step), 1 - learningRate * weightDecay];
}

/**
 * The same for a step under loss scaling, of which the device knows alone how many were skipped: [learningRate,
 * 1 - learningRate weightDecay, step], where `step` counts skipped ones too. @throws when steps are not counted from 1
 */
export function adamScaledRates({ learningRate, step, weightDecay = 0 }: AdamSchedule): [number, number, number] {
  checkStep(step);
  return [learningRate, 1 - learningRate * weightDecay, step];
}

function checkStep(step: number): void {
  if (!(step >= 1)) throw new Error(`adam: step is ${step}; steps are counted from 1`);
}

/** The tensors of an Adam step, of one shape but for the last two. */
export interface AdamTensors {
  /** What is trained. */
  value: tf.Tensor;
  /** Of the loss. */
  gradient: tf.Tensor;
  /** First moment; zeros at first. */
  m: tf.Tensor;
  /** Second moment; zeros at first. */
  v: tf.Tensor;
  /** [2], or [3] of adamScaledRates with `scaling` */
  rates: tf.Tensor1D;
  /** LossScale.scaling, where gradients are scaled; on the thaw backend only. */
  scaling?: tf.Tensor1D | undefined;
}

/**
 * One Adam step; value, gradient, m and v have one shape, and `rates` are adamRates' on the device.
 * The returned tensors replace value, m and v, which the backend may have reused: assign them and use the old no more.
 */
export function adamStep(
  tensors: AdamTensors,
  { beta1, beta2, epsilon }: AdamAttributes,
): {
  /** In place of value. */
  value: tf.Tensor;
  /** In place of m. */
  m: tf.Tensor;
  /** In place of v. */
  v: tf.Tensor;
} {
  const { value, gradient, m, v, rates, scaling } = tensors;
  if (onThaw()) {
    const attributes: AdamAttributes = { beta1, beta2, epsilon };
    const [newValue, newM, newV] = tf
      .engine()
      .runKernel<[tf.Tensor, tf.Tensor, tf.Tensor]>(
        'ThawAdam',
        presentInputs({ value, gradient, m, v, rates, scaling }),
        attributes,
      );
    return { value: newValue, m: newM, v: newV };
  }
  return tf.tidy(() => {
    const [rate, keep] = [tf.slice(rates, 0, 1), tf.slice(rates, 1, 1)];
    const newM = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const newV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const update = tf.mul(tf.div(newM, tf.add(tf.sqrt(newV), epsilon)), rate);
    return { value: tf.sub(tf.mul(value, keep), tf.reshape(update, value.shape)), m: newM, v: newV };
  });
}

/** Attributes of the kernel ThawSgd, as in SgdOptions. */
export type SgdAttributes = {
  /** 0 for none. */
  momentum: number;
  /** 0 for none. */
  weightDecay: number;
  /** Whether the step looks ahead. */
  nesterov: boolean;
};

/** How gradient descent steps. */
export interface SgdOptions {
  /** 0: plain gradient descent, no velocity needed. */
  momentum: number;
  /** Times the value, added to the gradient; default 0. */
  weightDecay?: number;
  /** Nesterov's momentum; default false. */
  nesterov?: boolean;
}

/** The tensors of a step of gradient descent. */
export interface SgdTensors {
  /** What is trained. */
  value: tf.Tensor;
  /** Of the loss. */
  gradient: tf.Tensor;
  /** [learningRate], on the device. */
  rates: tf.Tensor1D;
  /** Needed when momentum is not 0; zeros at first. */
  velocity?: tf.Tensor;
  /** LossScale.scaling, where gradients are scaled; on the thaw backend only. */
  scaling?: tf.Tensor1D | undefined;
}

/**
 * One step of gradient descent; value, gradient and velocity have one shape.
 * The returned tensors replace value and velocity, which the backend may have reused: assign them and use the old no more.
 */
export function sgdStep(
  tensors: SgdTensors,
  options: SgdOptions,
): {
  /** In place of value. */
  value: tf.Tensor;
  /** In place of velocity; absent without momentum. */
  velocity?: tf.Tensor;
} {
  const { value, gradient, rates, velocity, scaling } = tensors;
  const { momentum } = options;
  const weightDecay = options.weightDecay ?? 0;
  const nesterov = options.nesterov ?? false;
  if (momentum !== 0 && !velocity)
    throw new Error(`sgdStep: momentum ${momentum} needs a velocity; start it with zeros.`);
  if (onThaw()) {
    const attributes: SgdAttributes = { momentum, weightDecay, nesterov };
    const [newValue, newVelocity] = tf
      .engine()
      .runKernel<[tf.Tensor] | [tf.Tensor, tf.Tensor]>(
        'ThawSgd',
        presentInputs({ value, gradient, rates, velocity, scaling }),
        attributes,
      );
    return newVelocity ? { value: newValue, velocity: newVelocity } : { value: newValue };
  }
  return tf.tidy(() => {
    const moved = (by: tf.Tensor): tf.Tensor =>
      tf.sub(value, tf.reshape(tf.mul(by, tf.slice(rates, 0, 1)), value.shape));
    const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(value, weightDecay));
    if (!velocity) return { value: moved(decayed) };
    const newVelocity = tf.add(tf.mul(velocity, momentum), decayed);
    const direction = nesterov ? tf.add(decayed, tf.mul(newVelocity, momentum)) : newVelocity;
    return { value: moved(direction), velocity: newVelocity };
  });
}
