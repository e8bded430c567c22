/** Plans of the mean over an image's pixels and of its gradient. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import backwardSource from './global-average-pool-backward.wgsl?raw';
import forwardSource from './global-average-pool.wgsl?raw';

export const forwardShader = readShader('global-average-pool', forwardSource);
export const backwardShader = readShader('global-average-pool-backward', backwardSource);

export type ImageShape = readonly [batch: number, height: number, width: number, channels: number];

/** Input x, stored in `precision`; output y [batch, channels], in float32. @throws when the image has no pixels. */
export function planGlobalAveragePool(shape: ImageShape, limits: Limits, precision: Precision = 'float32'): Plan {
  const [batch, height, width, channels] = shape;
  if (height * width === 0)
    throw new Error(`global-average-pool: x is [${shape.join(', ')}]; a mean needs at least one pixel`);
  checkBinding('global-average-pool', 'x', shape, limits, precision);
  const size = batch * channels;
  const { tunables } = forwardShader;
  return {
    shader: forwardShader,
    tuning: tunables,
    constants: {},
    params: { size, pixels: height * width, channels },
    precision,
    workgroups: foldWorkgroups('global-average-pool', Math.ceil(size / (tunables['THREADS'] ?? 64)), limits),
    outputs: { y: { shape: [batch, channels], dtype: 'float32' } },
  };
}

/** Input dy [batch, channels], in float32; output dx of `shape`, stored in `precision`. */
export function planGlobalAveragePoolBackward(
  shape: ImageShape,
  limits: Limits,
  precision: Precision = 'float32',
): Plan {
  const [, height, width, channels] = shape;
  checkBinding('global-average-pool-backward', 'dx', shape, limits, precision);
  const size = elements(shape);
  const { tunables } = backwardShader;
  const perWorkgroup = (tunables['THREADS'] ?? 256) * (tunables['PER_THREAD'] ?? 4);
  return {
    shader: backwardShader,
    tuning: tunables,
    constants: {},
    params: { size, pixels: height * width, channels },
    precision,
    workgroups: foldWorkgroups('global-average-pool-backward', Math.ceil(size / perWorkgroup), limits),
    outputs: { dx: { shape, dtype: precision } },
  };
}
