/** Plans of max-pooling and its gradient. */
import { checkBinding, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import backwardSource from './max-pool-backward.wgsl?raw';
import tapsSource from './max-pool-taps.wgsl?raw';
import forwardSource from './max-pool.wgsl?raw';

export const forwardShader = readShader('max-pool', forwardSource);
export const tapsShader = readShader('max-pool-taps', tapsSource);
export const backwardShader = readShader('max-pool-backward', backwardSource);

export interface PoolShape {
  readonly batch: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** A plan whose threads make PER_THREAD elements (one, where the shader has no such constant) of its output, which is named and shaped here. */
export function planPool(
  shader: Shader,
  { batch, ...s }: PoolShape,
  output: 'y' | 'dx',
  limits: Limits,
  tuning: Tuning = {},
  precision: Precision = 'float32',
): Plan {
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const shape = output === 'y' ? [batch, s.outH, s.outW, s.channels] : [batch, s.inH, s.inW, s.channels];
  checkBinding(shader.name, 'x', [batch, s.inH, s.inW, s.channels], limits, precision);
  checkBinding(shader.name, output, shape, limits, precision);
  const size = shape.reduce((product, d) => product * d, 1);
  return {
    shader,
    tuning: tuned,
    constants: {},
    params: { size, ...s },
    precision,
    workgroups: foldWorkgroups(shader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: { [output]: { shape, dtype: precision } },
  };
}

/** Input x; output y. */
export const planMaxPool = (s: PoolShape, limits: Limits, tuning: Tuning = {}, precision?: Precision): Plan =>
  planPool(forwardShader, s, 'y', limits, tuning, precision);

/** A plan whose threads have one channel of PER_THREAD pixels of the output in a row. */
function planRuns(
  shader: Shader,
  output: string,
  [batch, height, width, channels]: readonly [number, number, number, number],
  dtype: DeviceType,
  limits: Limits,
  tuning: Tuning,
): Pick<Plan, 'shader' | 'tuning' | 'workgroups' | 'outputs'> & { readonly pixels: number } {
  const shape = [batch, height, width, channels];
  checkBinding(shader.name, output, shape, limits, dtype);
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const pixels = batch * height * width;
  const threads = Math.ceil(pixels / PER_THREAD) * channels;
  return {
    shader,
    tuning: tuned,
    workgroups: foldWorkgroups(shader.name, Math.ceil(threads / THREADS), limits),
    outputs: { [output]: { shape, dtype } },
    pixels,
  };
}

/**
 * Inputs x and dy; outputs taps, which of each window's pixels was kept (a whole number, counted in rows from its top left),
 * and dx.
 */
export function planMaxPoolBackward(
  { batch, ...s }: PoolShape,
  limits: Limits,
  tuning: Tuning = {},
  precision: Precision = 'float32',
): [taps: Plan, dx: Plan] {
  const { channels, strideH, strideW, dilationH, dilationW, ...geometry } = s;
  checkBinding(tapsShader.name, 'x', [batch, s.inH, s.inW, channels], limits, precision);
  const outputs = [batch, s.outH, s.outW, channels] as const;
  const inputs = [batch, s.inH, s.inW, channels] as const;
  const { pixels: windows, ...taps } = planRuns(tapsShader, 'taps', outputs, 'int32', limits, tuning);
  const { pixels, ...dx } = planRuns(backwardShader, 'dx', inputs, precision, limits, tuning);
  return [
    { ...taps, precision, constants: {}, params: { pixels: windows, ...s } },
    {
      ...dx,
      precision,
      constants: { STRIDE_H: strideH, STRIDE_W: strideW, DILATION_H: dilationH, DILATION_W: dilationW },
      params: { pixels, channels, ...geometry },
    },
  ];
}
