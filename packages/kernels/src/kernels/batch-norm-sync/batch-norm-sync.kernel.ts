/**
 * Training batch-norm in steps between which the host adds up over processes (ops/batch-norm-sync.ts):
 * 'ThawBatchStatistics': input x; outputs [mean, variance], [channels] each.
 * 'ThawNormalise': inputs x, mean, variance, gamma, beta, residual?; attributes epsilon, relu; output y, stored as x is.
 * 'ThawBatchNormSums': inputs dy, x, y, mean, variance; attributes epsilon, relu; outputs [dbeta, dgamma] of these rows.
 * 'ThawBatchNormApply': inputs dy, x, y, gamma, mean, variance, sums [2, channels] of dbeta and dgamma; attributes epsilon, relu,
 * hasResidual; outputs [dx] or [dx, dresidual], stored as x is.
 */
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planBatchNormTrainBackward, planChannelSums } from '../batch-norm-train-backward/batch-norm-train-backward.plan.ts'; // prettier-ignore
import { planBatchStatistics, planNormalise } from '../batch-norm-train/batch-norm-train.plan.ts';

const batchStatistics = defineKernel('ThawBatchStatistics', ({ backend, input }) => {
  const x = input('x');
  const [statistics, merge] = planBatchStatistics(
    x.shape,
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    undefined,
    backend.precisionOf(x),
  );
  if (!statistics) throw new Error('ThawBatchStatistics: no plan was made');
  const first = backend.run(statistics, { x });
  const last = merge ? backend.run(merge, { x, parts: first['parts'] }) : first;
  const { mean, variance } = last;
  for (const tensor of new Set([...Object.values(first), ...Object.values(last)]))
    if (tensor !== mean && tensor !== variance) backend.release(tensor);
  if (!mean || !variance) throw new Error('ThawBatchStatistics: an output was not made');
  return [mean, variance];
});

const normalise = defineKernel('ThawNormalise', ({ backend, input, optional, attrs }) => {
  const { epsilon, relu } = attrs<{ epsilon: number; relu: boolean }>();
  const [x, mean, variance] = [input('x'), input('mean'), input('variance')];
  const [gamma, beta, residual] = [input('gamma'), input('beta'), optional('residual')];
  const channels = [x.shape.at(-1) ?? 1];
  for (const [name, tensor] of Object.entries({ mean, variance, gamma, beta }))
    checkShape('ThawNormalise', name, tensor, channels);
  checkShape('ThawNormalise', 'residual', residual, x.shape);
  const plan = planNormalise(
    { shape: x.shape, epsilon, hasGamma: true, hasBeta: true, hasResidual: residual !== undefined, relu },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(x),
  );
  return backend.runOne(plan, { x, mean, variance, gamma, beta, residual });
});

const batchNormSums = defineKernel('ThawBatchNormSums', ({ backend, input, attrs }) => {
  const { epsilon, relu } = attrs<{ epsilon: number; relu: boolean }>();
  const [dy, x, y, mean, variance] = [input('dy'), input('x'), input('y'), input('mean'), input('variance')];
  const [sums, merge] = planChannelSums(
    { shape: x.shape, relu, factor: 'normalised', epsilon },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(x),
  );
  const parts = backend.runOne(sums, { dy, x, y, mean, variance });
  const { first, second } = backend.run(merge, { parts });
  backend.release(parts);
  if (!first || !second) throw new Error('ThawBatchNormSums: an output was not made');
  return [first, second];
});

const batchNormApply = defineKernel('ThawBatchNormApply', ({ backend, input, attrs }) => {
  const { epsilon, relu, hasResidual } = attrs<{ epsilon: number; relu: boolean; hasResidual: boolean }>();
  const [dy, x, y, gamma] = [input('dy'), input('x'), input('y'), input('gamma')];
  const [mean, variance, sums] = [input('mean'), input('variance'), input('sums')];
  const shape = { shape: x.shape, epsilon, relu, hasResidual };
  const [, merge, apply] = planBatchNormTrainBackward(
    shape,
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(x),
  );
  // The sums are one chunk, as far as the merger is concerned; what it makes of them for gamma and beta is not asked for.
  const whole = { ...merge, params: { ...merge.params, chunks: 1 } };
  const { table, ...unused } = backend.run(whole, { parts: sums, gamma, mean, variance });
  for (const tensor of Object.values(unused)) backend.release(tensor);
  if (!table) throw new Error('ThawBatchNormApply: the table was not made');
  const { dx, dresidual } = backend.run(apply, { dy, x, y, table });
  backend.release(table);
  if (!dx || !dresidual) throw new Error('ThawBatchNormApply: an output was not made');
  if (hasResidual) return [dx, dresidual];
  backend.release(dresidual);
  return [dx];
});

export const batchNormSyncKernels = [batchStatistics, normalise, batchNormSums, batchNormApply];
