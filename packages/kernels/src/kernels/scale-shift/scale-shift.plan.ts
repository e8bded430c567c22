/** Plans of the per-channel scale and shift and its pass backward; its sums are planChannelSums. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import backwardSource from './scale-shift-backward.wgsl?raw';
import forwardSource from './scale-shift.wgsl?raw';

export const forwardShader = readShader('scale-shift', forwardSource);
export const backwardShader = readShader('scale-shift-backward', backwardSource);

export interface ScaleShiftShape {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  readonly hasResidual: boolean;
  readonly relu: boolean;
}

type Tuning = Readonly<Record<string, number>>;

function planPass(shader: Shader, s: ScaleShiftShape, limits: Limits, tuning: Tuning, outputs: Plan['outputs']): Plan {
  const tuned = { ...shader.tunables, ...tuning };
  const size = elements(s.shape);
  checkBinding(shader.name, 'x', s.shape, limits);
  const perWorkgroup = (tuned['THREADS'] ?? 256) * (tuned['PER_THREAD'] ?? 4);
  return {
    shader,
    tuning: tuned,
    constants: { HAS_RESIDUAL: Number(s.hasResidual), RELU: Number(s.relu) },
    params: { size, channels: s.shape.at(-1) ?? 1 },
    workgroups: foldWorkgroups(shader.name, Math.ceil(size / perWorkgroup), limits),
    outputs,
  };
}

/** Inputs x, scale, shift, residual?; output y. */
export const planScaleShift = (s: ScaleShiftShape, limits: Limits, tuning: Tuning = {}): Plan =>
  planPass(forwardShader, s, limits, tuning, { y: { shape: s.shape, dtype: 'float32' } });

/** Inputs dy, y (with the ReLU), scale; outputs dx, dresidual (of one element where there is no residual). */
export const planScaleShiftBackward = (s: ScaleShiftShape, limits: Limits, tuning: Tuning = {}): Plan =>
  planPass(backwardShader, s, limits, tuning, {
    dx: { shape: s.shape, dtype: 'float32' },
    dresidual: { shape: s.hasResidual ? s.shape : [1], dtype: 'float32' },
  });
