/** Plans of the per-channel scale and shift and its pass backward; its sums are planChannelSums. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { WORKGROUPS, type Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import { splitRows } from '../batch-norm-train/batch-norm-train.plan.ts';
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

function planPass(
  shader: Shader,
  s: ScaleShiftShape,
  limits: Limits,
  tiling: Tiling,
  precision: Precision,
  outputs: Plan['outputs'],
): Plan {
  const tuned = { ...shader.tunables, ...tiling.direct };
  checkBinding(shader.name, 'x', s.shape, limits, precision);
  const { LANES = 1, ROWS = 1 } = tuned;
  const split = splitRows(shader.name, s.shape, LANES, ROWS, tiling.workgroups ?? WORKGROUPS);
  return {
    shader,
    tuning: tuned,
    constants: { HAS_RESIDUAL: Number(s.hasResidual), RELU: Number(s.relu) },
    params: { ...split },
    precision,
    workgroups: foldWorkgroups(shader.name, Math.ceil(split.channels / LANES) * split.chunks, limits),
    outputs,
  };
}

/** Inputs x, scale, shift, residual?; output y; x, residual and y stored in `precision`. */
export const planScaleShift = (
  s: ScaleShiftShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan => planPass(forwardShader, s, limits, tiling, precision, { y: { shape: s.shape, dtype: precision } });

/**
 * Inputs dy, y (with the ReLU), scale; outputs dx, dresidual (of one element where there is no residual);
 * all but scale stored in `precision`.
 */
export const planScaleShiftBackward = (
  s: ScaleShiftShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan =>
  planPass(backwardShader, s, limits, tiling, precision, {
    dx: { shape: s.shape, dtype: precision },
    dresidual: { shape: s.hasResidual ? s.shape : [1], dtype: precision },
  });
