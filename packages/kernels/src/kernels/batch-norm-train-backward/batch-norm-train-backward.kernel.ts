/**
 * 'ThawBatchNormTrainGrad': inputs dy, x, y, gamma, mean, variance; attributes epsilon, relu, hasResidual;
 * outputs [dx, dgamma, dbeta] and, with hasResidual, the residual's gradient.
 */
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchNormTrainBackward } from './batch-norm-train-backward.plan.ts';

const batchNormTrainGrad = defineKernel('ThawBatchNormTrainGrad', ({ backend, input, attrs }) => {
  const { epsilon, relu, hasResidual } = attrs<{ epsilon: number; relu: boolean; hasResidual: boolean }>();
  const [dy, x, y, gamma] = [input('dy'), input('x'), input('y'), input('gamma')];
  const [mean, variance] = [input('mean'), input('variance')];
  const [sums, merge, apply] = planBatchNormTrainBackward(
    { shape: x.shape, epsilon, relu, hasResidual },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
  );
  const parts = backend.runOne(sums, { dy, x, y, mean, variance });
  const { dgamma, dbeta, table } = backend.run(merge, { parts, gamma, mean, variance });
  backend.release(parts);
  const { dx, dresidual } = backend.run(apply, { dy, x, y, table });
  if (!dgamma || !dbeta || !table || !dx || !dresidual)
    throw new Error('ThawBatchNormTrainGrad: an output was not made');
  backend.release(table);
  if (hasResidual) return [dx, dgamma, dbeta, dresidual];
  backend.release(dresidual);
  return [dx, dgamma, dbeta];
});

export const batchNormGradKernels = [batchNormTrainGrad];
