/** Plans of the gradient of training batch-norm: two reductions (chunks, merger) and one pass. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { WORKGROUPS, type Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import { splitRows } from '../batch-norm-train/batch-norm-train.plan.ts';
import applySource from './batch-norm-train-backward.wgsl?raw';
import sumsSource from './channel-sums.wgsl?raw';
import mergeGradientsSource from './merge-gradients.wgsl?raw';
import mergeSumsSource from './merge-sums.wgsl?raw';

export const sumsShader = readShader('channel-sums', sumsSource);
export const mergeSumsShader = readShader('merge-sums', mergeSumsSource);
export const mergeGradientsShader = readShader('merge-gradients', mergeGradientsSource);
export const applyShader = readShader('batch-norm-train-backward', applySource);

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

interface TunedSplit {
  readonly split: ReturnType<typeof splitRows>;
  readonly tiles: number;
  readonly tuned: { readonly LANES: number; readonly ROWS: number };
}

function tuneSplit(kernel: string, shape: readonly number[], { direct: tuning = {}, workgroups }: Tiling): TunedSplit {
  const LANES = tuning['LANES'] ?? sumsShader.tunables['LANES'] ?? 32;
  const ROWS = tuning['ROWS'] ?? sumsShader.tunables['ROWS'] ?? 8;
  const split = splitRows(kernel, shape, LANES, ROWS, workgroups ?? WORKGROUPS);
  return { split, tiles: Math.ceil(split.channels / LANES), tuned: { LANES, ROWS } };
}

function planSums(
  s: ChannelSumsShape,
  { split, tiles, tuned }: TunedSplit,
  limits: Limits,
  precision: Precision,
): Plan {
  checkBinding('channel-sums', 'dy', s.shape, limits, precision);
  return {
    shader: sumsShader,
    tuning: tuned,
    constants: {
      RELU: Number(s.relu),
      NORMALISED: Number(s.factor === 'normalised'),
      HAS_X: Number(s.factor !== 'none'),
    },
    params: { ...split, epsilon: s.epsilon },
    precision,
    workgroups: foldWorkgroups('channel-sums', tiles * split.chunks, limits),
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
  const tunedSplit = tuneSplit('channel-sums', s.shape, tiling);
  const { split, tiles, tuned } = tunedSplit;
  const channels = { shape: [split.channels], dtype: 'float32' } as const;
  const merge: Plan = {
    shader: mergeSumsShader,
    tuning: tuned,
    constants: {},
    params: { channels: split.channels, chunks: split.chunks },
    workgroups: foldWorkgroups('merge-sums', tiles, limits),
    outputs: { first: channels, second: channels },
  };
  return [planSums(s, tunedSplit, limits, precision), merge];
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
  const tunedSplit = tuneSplit('batch-norm-train-backward', s.shape, tiling);
  const { split, tiles, tuned } = tunedSplit;
  const { rows, chunks } = split;
  const channels = { shape: [split.channels], dtype: 'float32' } as const;
  const merge: Plan = {
    shader: mergeGradientsShader,
    tuning: tuned,
    constants: {},
    params: { channels: split.channels, chunks, rows, epsilon: s.epsilon },
    workgroups: foldWorkgroups('merge-gradients', tiles, limits),
    outputs: { dgamma: channels, dbeta: channels, table: { shape: [split.channels, 4], dtype: 'float32' } },
  };
  const apply: Plan = {
    shader: applyShader,
    tuning: tuned,
    constants: { RELU: Number(s.relu), HAS_RESIDUAL: Number(s.hasResidual) },
    params: { ...split },
    precision,
    workgroups: foldWorkgroups('batch-norm-train-backward', tiles * chunks, limits),
    outputs: {
      dx: { shape: s.shape, dtype: precision },
      dresidual: { shape: s.hasResidual ? s.shape : [1], dtype: precision },
    },
  };
  return [planSums({ ...s, factor: 'normalised' }, tunedSplit, limits, precision), merge, apply];
}
