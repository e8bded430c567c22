/** 'ThawBatchNormTrain' (batch statistics) and tfjs's 'FusedBatchNorm' (given statistics). */
import { changeable } from '../../backend/in-place.ts';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchNormWhole } from './batch-norm-train-whole.plan.ts';
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
  const channels = [x.shape.at(-1) ?? 1];
  for (const [name, tensor] of Object.entries({ mean, variance, scale: gamma, offset: beta }))
    checkShape('FusedBatchNorm', name, tensor, channels);
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

export const batchNormKernels = [batchNormTrain, fusedBatchNorm];
