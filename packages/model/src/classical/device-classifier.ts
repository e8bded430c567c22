// What the current backend computes of features, as a classifier of features: a head, ImageNet's top.
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureClassifier } from './types.ts';

/** Wraps a function of tensors. @param classify features [size, inputs] to probabilities [size, classes] */
export function deviceClassifier(
  classify: (features: tf.Tensor2D) => tf.Tensor2D,
  { inputs, classes }: Pick<FeatureClassifier, 'inputs' | 'classes'>,
): FeatureClassifier {
  return {
    inputs,
    classes,
    async probabilities(values, size) {
      const result = tf.tidy(() => classify(tf.tensor2d(values, [size, inputs])));
      try {
        return await result.data<'float32'>();
      } finally {
        result.dispose();
      }
    },
    // What it computes with belongs to whoever made it.
    dispose: () => undefined,
  };
}
