/** 'ThawBatchNormTrain' (batch statistics) and tfjs's 'FusedBatchNorm' (given statistics). */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { changeable } from '../../backend/in-place.ts';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchNormWhole } from './batch-norm-train-whole.plan.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements } from '../../runtime/plan.ts';
import { binary } from '../elementwise/elementwise.kernel.ts';
import { planUnary } from '../elementwise/elementwise.plan.ts';
import { planBatchStatistics, planNormalise } from './batch-norm-train.plan.ts';

const batchNormTrain = defineKernel('ThawBatchNormTrain', ({ backend, input, optional, attrs }) => {
  const { epsilon, relu, momentum } = attrs<{ epsilon: number; relu: boolean; momentum?: number }>();
  const [x, gamma, beta, residual] = [input('x'), input('gamma'), input('beta'), optional('residual')];
  const moving = { movingMean: optional('movingMean'), movingVariance: optional('movingVariance') };
  const channels = [x.shape.at(-1) ?? 1];
  for (const [name, tensor] of Object.entries({ gamma, beta, ...moving }))
    checkShape('ThawBatchNormTrain', name, tensor, channels);
  checkShape('ThawBatchNormTrain', 'residual', residual, x.shape);
  const { limits } = backend.gpu;
  const tiling = backend.gpu.tiling('channels');
  const movingMean = moving.movingMean && changeable(backend, moving.movingMean);
  const movingVariance = moving.movingVariance && changeable(backend, moving.movingVariance);
  const moves = movingMean && movingVariance ? momentum : undefined;
  const precision = backend.precisionOf(x);
  const norm = { shape: x.shape, epsilon, hasResidual: residual !== undefined, relu, momentum: moves };
  const whole = planBatchNormWhole(norm, limits, tiling, precision);
  if (whole) {
    const { y, mean, variance, ...unused } = backend.run(whole, {
      x,
      gamma,
      beta,
      residual,
      movingMean,
      movingVariance,
    });
    for (const tensor of Object.values(unused)) backend.release(tensor);
    if (!y || !mean || !variance) throw new Error('ThawBatchNormTrain: an output was not made');
    return movingMean && movingVariance ? [y, mean, variance, movingMean, movingVariance] : [y, mean, variance];
  }
  const [statistics, merge] = planBatchStatistics(x.shape, limits, tiling, moves, precision);
  if (!statistics) throw new Error('ThawBatchNormTrain: no plan was made');
  const first = backend.run(statistics, { x, movingMean, movingVariance });
  const { parts } = first;
  const last = merge ? backend.run(merge, { x, parts, movingMean, movingVariance }) : first;
  const { mean, variance } = last;
  for (const tensor of new Set([...Object.values(first), ...Object.values(last)]))
    if (tensor !== mean && tensor !== variance) backend.release(tensor);
  const y = backend.runOne(
    planNormalise(
      { shape: x.shape, epsilon, hasGamma: true, hasBeta: true, hasResidual: residual !== undefined, relu },
      limits,
      tiling,
      precision,
    ),
    { x, mean, variance, gamma, beta, residual },
  );
  if (!mean || !variance) throw new Error('ThawBatchNormTrain: the statistics were not made');
  return movingMean && movingVariance ? [y, mean, variance, movingMean, movingVariance] : [y, mean, variance];
});

const fusedBatchNorm = defineKernel('FusedBatchNorm', ({ backend, input, optional, attrs }) => {
  const { varianceEpsilon } = attrs<{ varianceEpsilon: number }>();
  const [x, mean, variance] = [input('x'), input('mean'), input('variance')];
  const [gamma, beta] = [optional('scale'), optional('offset')];
  const channels = x.shape.at(-1) ?? 1;
  const vectors = [mean, variance, gamma, beta].filter((tensor) => tensor !== undefined);
  if (vectors.some(({ shape }) => elements(shape) !== channels))
    return normaliseBroadcast(backend, x, { mean, variance, gamma, beta }, varianceEpsilon);
  const plan = planNormalise(
    {
      shape: x.shape,
      epsilon: varianceEpsilon,
      hasGamma: gamma !== undefined,
      hasBeta: beta !== undefined,
      hasResidual: false,
      relu: false,
    },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(x),
  );
  return backend.runOne(plan, { x, mean, variance, gamma, beta });
});

interface Statistics {
  readonly mean: TensorInfo;
  readonly variance: TensorInfo;
  readonly gamma: TensorInfo | undefined;
  readonly beta: TensorInfo | undefined;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, of any shapes that broadcast to that of x. */
function normaliseBroadcast(
  backend: ThawBackend,
  x: TensorInfo,
  { mean, variance, gamma, beta }: Statistics,
  epsilon: number,
): TensorInfo {
  const then = (name: 'Add' | 'Sub' | 'Multiply', y: TensorInfo, other: TensorInfo): TensorInfo => {
    const next = binary(backend, name, y, other);
    backend.release(y);
    return next;
  };
  const shift = backend.makeTensor(Float32Array.of(epsilon), [], 'float32');
  const sum = binary(backend, 'Add', variance, shift);
  const inverse = backend.runOne(planUnary('Rsqrt', sum.shape, backend.gpu.limits), { x: sum });
  const centred = binary(backend, 'Sub', x, mean);
  const scaled = then('Multiply', centred, inverse);
  for (const tensor of [shift, sum, inverse]) backend.release(tensor);
  const stretched = gamma ? then('Multiply', scaled, gamma) : scaled;
  return beta ? then('Add', stretched, beta) : stretched;
}

export const batchNormKernels = [batchNormTrain, fusedBatchNorm];
