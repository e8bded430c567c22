// loss[n] = log(sum_c exp(logits[n, c])) - sum_c q[n, c] logits[n, c], from sparse labels with label smoothing:
// q[n, c] = (1 - smoothing) (c == labels[n]) + smoothing / classes.
// Kernel 'ThawSoftmaxCrossEntropy': inputs logits, labels (int32); attribute smoothing; outputs [loss, gradient], where
// gradient[n, c] = softmax(logits)[n, c] - q[n, c]; the tape multiplies it by the incoming gradient of loss.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** How the targets are made of labels. */
export interface SoftmaxCrossEntropyOptions {
  /** Share of the target that is spread evenly over all classes, in [0, 1); default 0. */
  smoothing?: number;
}

/**
 * Cross-entropy of each example; differentiable in the logits.
 *
 * @param logits [batch, classes]
 * @param labels [batch], int32, each in [0, classes)
 * @returns [batch], nats; average it for a batch's loss.
 */
export function softmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { smoothing = 0 }: SoftmaxCrossEntropyOptions = {},
): tf.Tensor1D {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new Error(`softmaxCrossEntropy: label smoothing must be in [0, 1), got ${smoothing}.`);
  if (labels.dtype !== 'int32') {
    throw new Error(
      `softmaxCrossEntropy: labels must be int32, got ${labels.dtype}; make them tf.tensor1d(values, 'int32').`,
    );
  }
  if (labels.shape[0] !== logits.shape[0]) {
    throw new Error(
      `softmaxCrossEntropy: ${labels.shape[0]} labels for ${logits.shape[0]} rows of logits; there must be one each.`,
    );
  }
  if (onThaw()) {
    const [loss, gradient] = tf
      .engine()
      .runKernel<[tf.Tensor1D, tf.Tensor2D]>('ThawSoftmaxCrossEntropy', { logits, labels }, { smoothing });
    // The tape, if there is one, has saved its own reference.
    gradient.dispose();
    return loss;
  }
  return tf.tidy(() => {
    const classes = logits.shape[1];
    const chosen = tf.cast(tf.oneHot(labels, classes), 'float32');
    const target = smoothing === 0 ? chosen : tf.add(tf.mul(chosen, 1 - smoothing), smoothing / classes);
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), target), 1)) as tf.Tensor1D;
  });
}
