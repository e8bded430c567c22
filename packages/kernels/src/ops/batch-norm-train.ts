// Batch-norm on the batch's statistics: y = relu(gamma * (x - mean) / sqrt(variance + epsilon) + beta + residual).
// Kernel 'ThawBatchNormTrain': inputs x, gamma, beta, residual?; attributes BatchNormTrainAttributes;
// outputs [y, mean, variance]
// and, with moving statistics, their new values.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw, presentInputs } from './backend.ts';

/** What batchNormTrain does beside normalising. */
export interface BatchNormTrainOptions {
  /** Added to the variance. */
  epsilon: number;
  /** Added before the ReLU; has x's shape. */
  residual?: tf.Tensor4D;
  /** Default false. */
  relu?: boolean;
  /** Statistics that follow the batches', in place: new = old momentum + batch (1 - momentum). */
  moving?: MovingStatistics;
}

/** Statistics that follow those of the batches. */
export interface MovingStatistics {
  /** [channels] */
  readonly mean: tf.Variable<tf.Rank.R1>;
  /** [channels]; follows the unbiased variance, as Keras's fused batch-norm does (keras-team/keras#10443). */
  readonly variance: tf.Variable<tf.Rank.R1>;
  /** Share of itself that a statistic keeps, in [0, 1]. */
  readonly momentum: number;
}

/** `hasResidual` tells the gradient, which sees attributes but no absent inputs. */
export type BatchNormTrainAttributes = {
  /** Added to the variance. */
  epsilon: number;
  /** Whether a ReLU comes last. */
  relu: boolean;
  /** Whether a residual is added. */
  hasResidual: boolean;
  /** Of the moving statistics. */
  momentum: number;
};

/** What batchNormTrain gives. */
export interface BatchNormTrainResult {
  /** The shape of x. */
  y: tf.Tensor4D;
  /** [channels], over batch, height and width; carries no gradient. */
  mean: tf.Tensor1D;
  /** [channels], biased (divided by the count, not count - 1); carries no gradient. */
  variance: tf.Tensor1D;
}

/**
 * Training batch-norm; gradients flow to x, gamma, beta and residual.
 *
 * @param x [batch, height, width, channels]
 * @param gamma [channels]
 * @param beta [channels]
 */
export function batchNormTrain(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  options: BatchNormTrainOptions,
): BatchNormTrainResult {
  const { epsilon, residual, moving } = options;
  const relu = options.relu ?? false;
  if (onThaw()) {
    const hasResidual = residual !== undefined;
    const attributes: BatchNormTrainAttributes = { epsilon, relu, hasResidual, momentum: moving?.momentum ?? 1 };
    const [y, mean, variance, ...moved] = tf
      .engine()
      .runKernel<[tf.Tensor4D, tf.Tensor1D, tf.Tensor1D, ...tf.Tensor1D[]]>(
        'ThawBatchNormTrain',
        presentInputs({ x, gamma, beta, residual, movingMean: moving?.mean, movingVariance: moving?.variance }),
        attributes,
      );
    [moving?.mean, moving?.variance].forEach((variable, i) => {
      const value = moved[i];
      if (variable && value) variable.assign(value);
      value?.dispose();
    });
    return { y, mean, variance };
  }
  return tf.tidy(() => {
    const mean: tf.Tensor1D = tf.mean(x, [0, 1, 2]);
    const centred: tf.Tensor4D = tf.sub(x, mean);
    // Two passes: E[x^2] - E[x]^2 cancels to zero or below where the mean is large.
    const variance: tf.Tensor1D = tf.mean(tf.square(centred), [0, 1, 2]);
    const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
    let y: tf.Tensor4D = tf.add(tf.mul(centred, scale), beta);
    if (residual) {
      tf.util.assertShapesMatch(y.shape, residual.shape, 'batchNormTrain: the residual must have the shape of x. ');
      y = tf.add(y, residual);
    }
    if (relu) y = tf.relu(y);
    if (moving) {
      const [batch, height, width] = x.shape;
      const count = batch * height * width;
      move(moving.mean, mean, moving.momentum, 1);
      move(moving.variance, variance, moving.momentum, count / Math.max(1, count - 1));
    }
    return { y, mean: withoutGradient(mean), variance: withoutGradient(variance) };
  });
}

/** @param correction Bessel's, or 1 */
function move(variable: tf.Variable<tf.Rank.R1>, batch: tf.Tensor1D, momentum: number, correction: number): void {
  const moved: tf.Tensor1D = tf.add(tf.mul(variable, momentum), tf.mul(batch, (1 - momentum) * correction));
  variable.assign(moved);
}

/** The same values, cut off from the tape. */
function withoutGradient(x: tf.Tensor1D): tf.Tensor1D {
  return tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor1D),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x) as tf.Tensor1D;
}
