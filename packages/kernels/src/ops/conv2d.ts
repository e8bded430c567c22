// y = relu(conv(x, filter) + bias + residual), NHWC and HWIO, with explicit padding; bias, residual and ReLU optional.
// Kernel 'ThawConv2D': inputs x, filter, bias?, residual?; attributes Conv2DAttributes; one output.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw, presentInputs } from './backend.ts';

/** [vertical, horizontal] */
export type Pair = [number, number];
/** [[top, bottom], [left, right]] in pixels. */
export type Padding = [[number, number], [number, number]];

/** What conv2d does beside convolving. */
export interface Conv2DOptions {
  /** [vertical, horizontal] */
  strides: Pair;
  /** Zeros around x; none where [[0, 0], [0, 0]]. */
  pad: Padding;
  /** [vertical, horizontal]; default [1, 1]. */
  dilations?: Pair;
  /** One value per output channel. */
  bias?: tf.Tensor1D;
  /** Added before the ReLU; has the output's shape. */
  residual?: tf.Tensor4D;
  /** Default false. */
  relu?: boolean;
}

/** Attributes of the kernel ThawConv2D. */
export type Conv2DAttributes = {
  /** [vertical, horizontal] */
  strides: Pair;
  /** Zeros around x. */
  pad: Padding;
  /** [vertical, horizontal] */
  dilations: Pair;
  /** Whether a ReLU comes last. */
  relu: boolean;
};

/**
 * Convolution with its usual epilogue: `relu(conv(x, filter) + bias + residual)`.
 *
 * @param x [batch, height, width, inChannels]
 * @param filter [filterHeight, filterWidth, inChannels, outChannels]
 * @returns [batch, outHeight, outWidth, outChannels]; outHeight = floor((height + top + bottom - extent) / stride) + 1,
 *   where extent = (filterHeight - 1) * dilation + 1.
 * @throws when channels or the residual's shape do not match.
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: Conv2DOptions): tf.Tensor4D {
  const { strides, pad, bias, residual } = options;
  const dilations = options.dilations ?? [1, 1];
  const relu = options.relu ?? false;
  if (onThaw()) {
    const attributes: Conv2DAttributes = { strides, pad, dilations, relu };
    return tf.engine().runKernel('ThawConv2D', presentInputs({ x, filter, bias, residual }), attributes);
  }
  return tf.tidy((): tf.Tensor4D => {
    const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
      [0, 0],
      pad[0],
      pad[1],
      [0, 0],
    ];
    const inFused = relu && !residual;
    const fused = (): tf.Tensor4D =>
      // Runs the epilogue in the convolution where the backend can, and falls back under a tape.
      tf.fused.conv2d({
        x,
        filter,
        strides,
        pad: explicit,
        dilations,
        ...(bias ? { bias } : {}),
        activation: inFused ? 'relu' : 'linear',
      });
    const apart = (): tf.Tensor4D => {
      const convolved: tf.Tensor4D = tf.conv2d(x, filter, strides, explicit, 'NHWC', dilations);
      const biased: tf.Tensor4D = bias ? tf.add(convolved, bias) : convolved;
      return inFused ? tf.relu(biased) : biased;
    };
    const sum = mayFuse() ? fused() : apart();
    if (!residual) return sum;
    tf.util.assertShapesMatch(sum.shape, residual.shape, 'conv2d: the residual must have the output’s shape. ');
    const added: tf.Tensor4D = tf.add(sum, residual);
    return relu ? tf.relu(added) : added;
  });
}

/**
 * Whether tfjs's fused convolution will do: on a tape its gradient asks for the filter's even where nobody else does, and
 * the wasm backend has none, though it has the input's.
 */
const mayFuse = (): boolean =>
  tf.engine().state.gradientDepth === 0 || Boolean(tf.getKernel('Conv2DBackpropFilter', tf.getBackend()));
