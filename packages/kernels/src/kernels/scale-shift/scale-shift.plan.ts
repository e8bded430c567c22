/** Plans of the per-channel scale and shift and its pass backward; its sums are planChannelSums. */
import { checkBinding, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import type { Precision } from '../../wgsl/shader.ts';
import { readWidths, type Widths } from '../../wgsl/widen.ts';
import { planPass } from '../batch-norm-train/pass.ts';
import backwardSource from './scale-shift-backward.wgsl?raw';
import forwardSource from './scale-shift.wgsl?raw';

const forwardShaders = readWidths('scale-shift', forwardSource);
const backwardShaders = readWidths('scale-shift-backward', backwardSource);

export interface ScaleShiftShape {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  readonly hasResidual: boolean;
  readonly relu: boolean;
}

function planScaling(
  shaders: Widths,
  s: ScaleShiftShape,
  limits: Limits,
  tiling: Tiling,
  precision: Precision,
  outputs: Plan['outputs'],
): Plan {
  const { name } = shaders.narrow;
  checkBinding(name, 'x', s.shape, limits, precision);
  return {
    ...planPass(name, shaders, s.shape, limits, tiling).plan,
    constants: { HAS_RESIDUAL: Number(s.hasResidual), RELU: Number(s.relu) },
    precision,
    outputs,
  };
}

/** Inputs x, scale, shift, residual?; output y; x, residual and y stored in `precision`. */
export const planScaleShift = (
  s: ScaleShiftShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan => planScaling(forwardShaders, s, limits, tiling, precision, { y: { shape: s.shape, dtype: precision } });

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
  planScaling(backwardShaders, s, limits, tiling, precision, {
    dx: { shape: s.shape, dtype: precision },
    dresidual: { shape: s.hasResidual ? s.shape : [1], dtype: precision },
  });
