// loss[n] = log(sum_c exp(logits[n, c])) - logits[n, labels[n]], from sparse labels.
// Kernel 'ThawSoftmaxCrossEntropy': inputs logits, labels (int32); outputs [loss, gradient], where
// gradient[n, c] = softmax(logits)[n, c] - (c == labels[n]); the tape multiplies it by the incoming gradient of loss.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/**
 * Cross-entropy of each example; differentiable in the logits.
 *
 * @param logits [batch, classes]
 * @param labels [batch], int32, each in [0, classes)
 * @returns [batch], nats; average it for a batch's loss.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
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
      .runKernel<[tf.Tensor1D, tf.Tensor2D]>('ThawSoftmaxCrossEntropy', { logits, labels });
    // The tape, if there is one, has saved its own reference.
    gradient.dispose();
    return loss;
  }
  return tf.tidy(() => {
    const chosen = tf.cast(tf.oneHot(labels, logits.shape[1]), 'float32');
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), chosen), 1)) as tf.Tensor1D;
  });
}
