// y = relu(x * scale + shift + residual), scale and shift per channel: batch-norm on moving statistics, folded.
// Kernel 'ThawScaleShift': inputs x, scale, shift, residual?; attributes ScaleShiftAttributes; one output.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw, presentInputs } from './backend.ts';

/** What scaleShift does besides. */
export interface ScaleShiftOptions {
  /** Added before the ReLU; has x's shape. */
  residual?: tf.Tensor4D;
  /** Default false. */
  relu?: boolean;
}

/** `hasResidual` tells the gradient, which sees attributes but no absent inputs. */
export type ScaleShiftAttributes = {
  /** Whether a ReLU comes last. */
  relu: boolean;
  /** Whether a residual is added. */
  hasResidual: boolean;
};

/**
 * `relu(x * scale + shift + residual)` per channel.
 *
 * @param x [batch, height, width, channels]
 * @param scale [channels]; for batch-norm gamma / sqrt(variance + epsilon)
 * @param shift [channels]; for batch-norm beta - mean * scale
 */
export function scaleShift(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  shift: tf.Tensor1D,
  options: ScaleShiftOptions = {},
): tf.Tensor4D {
  const { residual } = options;
  const relu = options.relu ?? false;
  if (onThaw()) {
    const attributes: ScaleShiftAttributes = { relu, hasResidual: residual !== undefined };
    return tf.engine().runKernel('ThawScaleShift', presentInputs({ x, scale, shift, residual }), attributes);
  }
  return tf.tidy(() => {
    let y: tf.Tensor4D = tf.add(tf.mul(x, scale), shift);
    if (residual) {
      tf.util.assertShapesMatch(y.shape, residual.shape, 'scaleShift: the residual must have the shape of x. ');
      y = tf.add(y, residual);
    }
    return relu ? tf.relu(y) : y;
  });
}
