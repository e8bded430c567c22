// Multinomial logistic regression with an L2 penalty: what minimises
//   mean over the images of -log softmax(W^T z + b)_label  +  l2 * sum W^2,   z = (x - mean) / deviation by column,
// by L-BFGS, over all images at once. l2 = 1 / (2 n C) is scikit-learn's LogisticRegression(C) after its StandardScaler.
// The scaling is folded into what comes back, so the result is a linear head.
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../training/types.ts';
import { columnMoments, featureBlocks, inverse } from './columns.ts';
import { lbfgs, type Evaluated, type LbfgsOptions } from './lbfgs.ts';

/** How the regression is fitted. */
export interface LogisticOptions extends LbfgsOptions {
  /** Number of classes. */
  readonly classes: number;
  /** Default 1 / (2 n), scikit-learn's C = 1. */
  readonly l2?: number | undefined;
}

/** A linear classifier of features. */
export interface LinearClassifier {
  /** [inputs, classes] */
  readonly kernel: Float32Array;
  /** [classes] */
  readonly bias: Float32Array;
}

/** What was fitted, and how the fit ended. */
export interface LogisticFit extends LinearClassifier {
  /** Of the function above. */
  readonly value: number;
  /** Steps of L-BFGS. */
  readonly iterations: number;
  /** Whether the gradient fell below the tolerance. */
  readonly converged: boolean;
}

/** Fits it on the current backend. */
export async function fitLogistic(features: Features, options: LogisticOptions): Promise<LogisticFit> {
  const { classes, l2 = 1 / (2 * features.labels.length) } = options;
  const { labels, width } = features;
  const moments = columnMoments(features);
  const blocks = [...featureBlocks(features, moments)].map(({ x, from, rows }) => ({
    x,
    targets: oneHot(labels.subarray(from, from + rows), classes),
  }));
  const kernels = width * classes;
  const evaluate = async (theta: Float64Array): Promise<Evaluated> => {
    const sums = tf.tidy(() => {
      const kernel = tf.tensor2d(Float32Array.from(theta.subarray(0, kernels)), [width, classes]);
      const bias = tf.tensor1d(Float32Array.from(theta.subarray(kernels)));
      const parts = blocks.map(({ x, targets }) => {
        const logs = logSoftmax(tf.add<tf.Tensor2D>(tf.matMul(x, kernel), bias));
        const errors = tf.sub<tf.Tensor2D>(tf.exp(logs), targets);
        return [tf.neg(tf.sum(tf.mul(logs, targets))), tf.matMul(x, errors, true), tf.sum(errors, 0)] as const;
      });
      return [0, 1, 2].map((i) => tf.addN(parts.flatMap((part) => part[i] ?? [])));
    });
    const [[loss = 0] = [], slopes = [], biases = []] = await Promise.all(sums.map((sum) => sum.data<'float32'>()));
    tf.dispose(sums);
    let value = loss / labels.length;
    const gradient = Float64Array.from([...slopes, ...biases], (part) => part / labels.length);
    for (let i = 0; i < kernels; i++) {
      const weight = theta[i] ?? 0;
      value += l2 * weight * weight;
      gradient[i] = (gradient[i] ?? 0) + 2 * l2 * weight;
    }
    return { value, gradient };
  };
  try {
    const { x, ...end } = await lbfgs(evaluate, new Float64Array(kernels + classes), options);
    return { ...unscaled(x, moments, classes), ...end };
  } finally {
    tf.dispose(blocks);
  }
}

/** W^T (x - mean) / deviation + b as a head that reads x. */
function unscaled(
  theta: Float64Array,
  { mean, deviation }: { mean: Float64Array; deviation: Float64Array },
  classes: number,
): LinearClassifier {
  const kernels = mean.length * classes;
  const bias = theta.slice(kernels);
  const kernel = Float32Array.from({ length: kernels }, (_, i) => {
    const column = Math.floor(i / classes);
    const weight = (theta[i] ?? 0) * inverse(deviation[column] ?? 0);
    const c = i % classes;
    bias[c] = (bias[c] ?? 0) - weight * (mean[column] ?? 0);
    return weight;
  });
  return { kernel, bias: Float32Array.from(bias) };
}

/** x - max - log sum exp(x - max), row by row. */
function logSoftmax(x: tf.Tensor2D): tf.Tensor2D {
  const shifted = tf.sub<tf.Tensor2D>(x, tf.max(x, 1, true));
  return tf.sub<tf.Tensor2D>(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
}

function oneHot(labels: Int32Array, classes: number): tf.Tensor2D {
  const values = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) values[i * classes + label] = 1;
  return tf.tensor2d(values, [labels.length, classes]);
}
