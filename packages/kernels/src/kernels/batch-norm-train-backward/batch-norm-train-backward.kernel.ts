/**
 * 'ThawBatchNormTrainGrad': inputs dy, x, y, gamma, mean, variance; attributes epsilon, relu, hasResidual;
 * outputs [dx, dgamma, dbeta] and, with hasResidual, the residual's gradient. dx and the latter are stored as x is.
 */
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchNormBackwardWhole } from './batch-norm-train-backward-whole.plan.ts';
import { planBatchNormTrainBackward } from './batch-norm-train-backward.plan.ts';

const batchNormTrainGrad = defineKernel('ThawBatchNormTrainGrad', ({ backend, input, attrs }) => {
  const { epsilon, relu, hasResidual } = attrs<{ epsilon: number; relu: boolean; hasResidual: boolean }>();
  const [dy, x, y, gamma] = [input('dy'), input('x'), input('y'), input('gamma')];
  const [mean, variance] = [input('mean'), input('variance')];
  const shape = { shape: x.shape, epsilon, relu, hasResidual };
  const { limits } = backend.gpu;
  const tiling = backend.gpu.tiling('channels');
  const precision = backend.precisionOf(x);
  const whole = planBatchNormBackwardWhole(shape, limits, tiling, precision);
  if (whole) {
    const { dx, dgamma, dbeta, dresidual } = backend.run(whole, { dy, x, y, gamma, mean, variance });
    if (!dx || !dgamma || !dbeta || !dresidual) throw new Error('ThawBatchNormTrainGrad: an output was not made');
    if (hasResidual) return [dx, dgamma, dbeta, dresidual];
    backend.release(dresidual);
    return [dx, dgamma, dbeta];
  }
  const [sums, merge, apply] = planBatchNormTrainBackward(shape, limits, tiling, precision);
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
