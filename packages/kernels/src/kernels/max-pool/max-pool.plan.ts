/** Plans of max-pooling and its gradient. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import backwardSource from './max-pool-backward.wgsl?raw';
import forwardSource from './max-pool.wgsl?raw';

export const forwardShader = readShader('max-pool', forwardSource);
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

/** Inputs dy, x, y; output dx. */
export const planMaxPoolBackward = (s: PoolShape, limits: Limits, tuning: Tuning = {}, precision?: Precision): Plan =>
  planPool(backwardShader, s, 'dx', limits, tuning, precision);
