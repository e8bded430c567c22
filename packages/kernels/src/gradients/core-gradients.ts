// The gradients of TensorFlow.js's own ops, which tfjs-core does not register by itself (ANCHORS: fact 1).
import * as tf from '@tensorflow/tfjs-core';
import '#tfjs-gradients';

/**
 * Sees to it that `tf.variableGrads` finds the gradients of tfjs-core's ops. May be called any number of times.
 * @throws when a bundler has dropped the import that registers them.
 */
export function registerCoreGradients(): void {
  // Typed as always there, but undefined where nothing is registered.
  const gradient: unknown = tf.getGradient('Sum');
  if (gradient === undefined) {
    throw new Error(
      'The gradients of @tensorflow/tfjs-core are not registered: a bundler has dropped ' +
        "'@tensorflow/tfjs-core/dist/register_all_gradients'; mark it as having side effects.",
    );
  }
}
