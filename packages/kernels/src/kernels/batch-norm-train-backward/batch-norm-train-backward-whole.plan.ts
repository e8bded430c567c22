/** Plans the gradient of training batch-norm in one dispatch, for tensors of few rows, four channels to a thread. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import { splitWhole } from '../batch-norm-train/batch-norm-train-whole.plan.ts';
import type { BatchNormTrainBackwardShape } from './batch-norm-train-backward.plan.ts';
import source from './batch-norm-train-backward-whole.wgsl?raw';

export const wholeShader = readShader('batch-norm-train-backward-whole', source);

/**
 * Inputs dy, x, y (with the ReLU), gamma, mean, variance; outputs dgamma, dbeta, dx, dresidual (of one element where not
 * asked for).
 * @returns undefined where batch-norm-train-backward.plan.ts has to do it
 */
export function planBatchNormBackwardWhole(
  { shape, epsilon, relu, hasResidual }: BatchNormTrainBackwardShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan | undefined {
  const split = splitWhole(wholeShader, shape, limits, tiling);
  if (!split) return undefined;
  const { rows, channels, tuned, tiles } = split;
  checkBinding(wholeShader.name, 'dy', shape, limits, precision);
  const ofChannels = { shape: [channels], dtype: 'float32' } as const;
  return {
    shader: wholeShader,
    tuning: { ...wholeShader.tunables, ...tuned },
    constants: { RELU: Number(relu), HAS_RESIDUAL: Number(hasResidual) },
    precision,
    params: { rows, channels, epsilon },
    workgroups: foldWorkgroups(wholeShader.name, tiles, limits),
    outputs: {
      dgamma: ofChannels,
      dbeta: ofChannels,
      dx: { shape, dtype: precision },
      dresidual: { shape: hasResidual ? shape : [1], dtype: precision },
    },
  };
}
