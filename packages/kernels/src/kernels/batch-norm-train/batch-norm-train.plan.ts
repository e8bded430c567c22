/** Plans of training batch-norm: statistics of chunks of rows, their merger, and the normalisation. */
import { checkBinding, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import { readWidths } from '../../wgsl/widen.ts';
import { planMerge, planPass } from './pass.ts';
import mergeSource from './merge-statistics.wgsl?raw';
import normaliseSource from './normalise.wgsl?raw';
import statisticsSource from './batch-statistics.wgsl?raw';

const statisticsShaders = readWidths('batch-statistics', statisticsSource);
const mergeShader = readShader('merge-statistics', mergeSource);
const normaliseShaders = readWidths('normalise', normaliseSource);

export interface NormaliseShape {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly hasGamma: boolean;
  readonly hasBeta: boolean;
  readonly hasResidual: boolean;
  readonly relu: boolean;
}

/**
 * Mean and biased variance of each channel: inputs x, stored in `precision`, and movingMean and movingVariance, changed in
 * place, where a momentum is given; outputs mean, variance, and parts (a temporary) where rows are split. Outputs that are
 * not asked for have one element.
 */
export function planBatchStatistics(
  shape: readonly number[],
  limits: Limits,
  tiling: Tiling = {},
  momentum?: number,
  precision: Precision = 'float32',
): Plan[] {
  checkBinding('batch-norm-train', 'x', shape, limits, precision);
  const { split, plan } = planPass('batch-norm-train', statisticsShaders, shape, limits, tiling);
  const isWhole = split.chunks === 1;
  const moves = momentum !== undefined;
  const unused = { shape: [1], dtype: 'float32' } as const;
  const ofChannels = { shape: [split.channels], dtype: 'float32' } as const;
  const moving = { momentum: momentum ?? 1, fresh: 1 - (momentum ?? 1) };
  const standIns = moves ? {} : { movingMean: unused, movingVariance: unused };
  const statistics: Plan = {
    ...plan,
    constants: { IS_WHOLE: Number(isWhole), MOVES: Number(isWhole && moves) },
    params: { ...plan.params, ...moving },
    precision,
    outputs: isWhole
      ? { parts: unused, mean: ofChannels, variance: ofChannels, ...standIns }
      : {
          parts: { shape: [split.chunks, 2, split.channels], dtype: 'float32' },
          mean: unused,
          variance: unused,
          ...standIns,
        },
  };
  if (isWhole) return [statistics];
  const merge: Plan = {
    ...planMerge(mergeShader, split.channels, limits, tiling),
    constants: { MOVES: Number(moves) },
    params: { ...split, ...moving },
    precision,
    outputs: { mean: ofChannels, variance: ofChannels, ...standIns },
  };
  return [statistics, merge];
}

/** y from x, mean and variance, and from gamma, beta and residual where they are; x, residual and y stored in `precision`. */
export function planNormalise(
  s: NormaliseShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan {
  checkBinding('normalise', 'x', s.shape, limits, precision);
  const { plan } = planPass('normalise', normaliseShaders, s.shape, limits, tiling);
  return {
    ...plan,
    constants: {
      HAS_GAMMA: Number(s.hasGamma),
      HAS_BETA: Number(s.hasBeta),
      HAS_RESIDUAL: Number(s.hasResidual),
      RELU: Number(s.relu),
    },
    params: { ...plan.params, epsilon: s.epsilon },
    precision,
    outputs: { y: { shape: s.shape, dtype: precision } },
  };
}
