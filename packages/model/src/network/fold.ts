// Batch-norm on moving statistics is affine per channel, y = x * scale + shift, so it folds into the convolution before it:
//   scale = gamma / sqrt(variance + epsilon),  shift = beta + (bias - mean) * scale,  filter' = filter * scale.
// In float64, once, on the host.
import type { ConvSpec } from '../resnet50/index.ts';

/** A variable's values by its Keras name. */
export type Values = (name: string) => Float32Array;

export interface ScaleShift {
  /** [outChannels] */
  scale: Float64Array;
  /** [outChannels], for a convolution without its own bias */
  shift: Float64Array;
}

/** The affine form of a convolution's bias and the batch-norm behind it. */
export function scaleAndShift(spec: ConvSpec, values: Values, convBias: boolean, epsilon: number): ScaleShift {
  const gamma = values(`${spec.bn}/gamma`);
  const beta = values(`${spec.bn}/beta`);
  const mean = values(`${spec.bn}/moving_mean`);
  const variance = values(`${spec.bn}/moving_variance`);
  const bias = convBias ? values(`${spec.conv}/bias`) : undefined;
  const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt((variance[c] ?? 0) + epsilon));
  const shift = Float64Array.from(beta, (value, c) => value + ((bias?.[c] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0));
  return { scale, shift };
}

/** The convolution that does both. */
export function foldBatchNorm(
  spec: ConvSpec,
  values: Values,
  convBias: boolean,
  epsilon: number,
): {
  /** [size, size, in, out] */
  filter: Float32Array;
  /** [out] */
  bias: Float32Array;
} {
  const { scale, shift } = scaleAndShift(spec, values, convBias, epsilon);
  const kernel = values(`${spec.conv}/kernel`);
  const filter = kernel.map((value, i) => value * (scale[i % spec.outChannels] ?? 0));
  return { filter, bias: Float32Array.from(shift) };
}
