/** Plans of the gradient of training batch-norm: two reductions (chunks, merger) and one pass. */
import { checkBinding, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import { readWidths } from '../../wgsl/widen.ts';
import { planMerge, planPass, type ChannelPass } from '../batch-norm-train/pass.ts';
import applySource from './batch-norm-train-backward.wgsl?raw';
import sumsSource from './channel-sums.wgsl?raw';
import mergeGradientsSource from './merge-gradients.wgsl?raw';
import mergeSumsSource from './merge-sums.wgsl?raw';

const sumsShaders = readWidths('channel-sums', sumsSource);
const mergeSumsShader = readShader('merge-sums', mergeSumsSource);
const mergeGradientsShader = readShader('merge-gradients', mergeGradientsSource);
const applyShaders = readWidths('batch-norm-train-backward', applySource);

export interface ChannelSumsShape {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  /** Mask dy by y > 0. */
  readonly relu: boolean;
  /** Whether the second sum is asked for, and over x or over x normalised. */
  readonly factor: 'none' | 'x' | 'normalised';
  /** For 'normalised'. */
  readonly epsilon: number;
}

function planSums(s: ChannelSumsShape, { split, plan }: ChannelPass, limits: Limits, precision: Precision): Plan {
  checkBinding('channel-sums', 'dy', s.shape, limits, precision);
  return {
    ...plan,
    constants: {
      RELU: Number(s.relu),
      NORMALISED: Number(s.factor === 'normalised'),
      HAS_X: Number(s.factor !== 'none'),
    },
    params: { ...plan.params, epsilon: s.epsilon },
    precision,
    outputs: { parts: { shape: [split.chunks, 2, split.channels], dtype: 'float32' } },
  };
}

/**
 * Sums over rows: inputs dy, x?, y?, mean?, variance?; outputs parts (a temporary), first (of dy), second (of dy x).
 * dy, x and y are stored in `precision`.
 */
export function planChannelSums(
  s: ChannelSumsShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): [Plan, Plan] {
  const pass = planPass('channel-sums', sumsShaders, s.shape, limits, tiling);
  const { split } = pass;
  const channels = { shape: [split.channels], dtype: 'float32' } as const;
  const merge: Plan = {
    ...planMerge(mergeSumsShader, split.channels, limits, tiling),
    constants: {},
    params: { channels: split.channels, chunks: split.chunks },
    outputs: { first: channels, second: channels },
  };
  return [planSums(s, pass, limits, precision), merge];
}

export interface BatchNormTrainBackwardShape {
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly relu: boolean;
  /** Whether the masked dy is asked for, too. */
  readonly hasResidual: boolean;
}

/**
 * Inputs dy, x, y (with the ReLU), gamma, mean, variance;
 * outputs parts and table (temporaries), dgamma, dbeta, dx, dresidual (of one element where not asked for).
 * dy, x, y, dx and dresidual are stored in `precision`.
 */
export function planBatchNormTrainBackward(
  s: BatchNormTrainBackwardShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): [Plan, Plan, Plan] {
  const pass = planPass('batch-norm-train-backward', sumsShaders, s.shape, limits, tiling);
  const { split } = pass;
  const { rows, chunks } = split;
  const channels = { shape: [split.channels], dtype: 'float32' } as const;
  const merge: Plan = {
    ...planMerge(mergeGradientsShader, split.channels, limits, tiling),
    constants: {},
    params: { channels: split.channels, chunks, rows, epsilon: s.epsilon },
    outputs: { dgamma: channels, dbeta: channels, table: { shape: [4, split.channels], dtype: 'float32' } },
  };
  const apply: Plan = {
    ...planPass('batch-norm-train-backward', applyShaders, s.shape, limits, tiling).plan,
    constants: { RELU: Number(s.relu), HAS_RESIDUAL: Number(s.hasResidual) },
    precision,
    outputs: {
      dx: { shape: s.shape, dtype: precision },
      dresidual: { shape: s.hasResidual ? s.shape : [1], dtype: precision },
    },
  };
  return [planSums({ ...s, factor: 'normalised' }, pass, limits, precision), merge, apply];
}
