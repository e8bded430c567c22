/** 'ThawBatchNormTrain' (batch statistics) and tfjs's 'FusedBatchNorm' (given statistics). */
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchStatistics, planNormalise } from './batch-norm-train.plan.ts';

const batchNormTrain = defineKernel('ThawBatchNormTrain', ({ backend, input, optional, attrs }) => {
  const { epsilon, relu } = attrs<{ epsilon: number; relu: boolean }>();
  const [x, gamma, beta, residual] = [input('x'), input('gamma'), input('beta'), optional('residual')];
  const channels = [x.shape.at(-1) ?? 1];
  checkShape('ThawBatchNormTrain', 'gamma', gamma, channels);
  checkShape('ThawBatchNormTrain', 'beta', beta, channels);
  checkShape('ThawBatchNormTrain', 'residual', residual, x.shape);
  const { limits } = backend.gpu;
  const { direct } = backend.gpu.tiling('channels');
  const [statistics, merge] = planBatchStatistics(x.shape, limits, direct);
  const parts = backend.runOne(statistics, { x });
  const { mean, variance } = backend.run(merge, { x, parts });
  backend.release(parts);
  const plan = planNormalise(
    { shape: x.shape, epsilon, hasGamma: true, hasBeta: true, hasResidual: residual !== undefined, relu },
    limits,
    direct,
  );
  const y = backend.runOne(plan, { x, mean, variance, gamma, beta, residual });
  if (!mean || !variance) throw new Error('ThawBatchNormTrain: the statistics were not made');
  return [y, mean, variance];
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
    backend.gpu.tiling('channels').direct,
  );
  return backend.runOne(plan, { x, mean, variance, gamma, beta });
});

export const batchNormKernels = [batchNormTrain, fusedBatchNorm];
