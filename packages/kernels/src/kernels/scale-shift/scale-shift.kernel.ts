/**
 * 'ThawScaleShift': inputs x, scale, shift, residual?; attribute relu; output y, stored as x is.
 * 'ThawScaleShiftGrad': inputs dy, y, scale; attributes relu, hasResidual; outputs [dx] or [dx, dresidual], stored as y is.
 * 'ThawScaleShiftSum': inputs dy, x, y; attributes relu, of ('scale' or 'shift'); one output, [channels].
 */
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { commonPrecision } from '../../backend/precision.ts';
import { planChannelSums } from '../batch-norm-train-backward/batch-norm-train-backward.plan.ts';
import { planScaleShift, planScaleShiftBackward } from './scale-shift.plan.ts';

const scaleShift = defineKernel('ThawScaleShift', ({ backend, input, optional, attrs }) => {
  const { relu } = attrs<{ relu: boolean }>();
  const [x, scale, shift, residual] = [input('x'), input('scale'), input('shift'), optional('residual')];
  const channels = [x.shape.at(-1) ?? 1];
  checkShape('ThawScaleShift', 'scale', scale, channels);
  checkShape('ThawScaleShift', 'shift', shift, channels);
  checkShape('ThawScaleShift', 'residual', residual, x.shape);
  const plan = planScaleShift(
    { shape: x.shape, hasResidual: residual !== undefined, relu },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(x),
  );
  return backend.runOne(plan, { x, scale, shift, residual });
});

const scaleShiftGrad = defineKernel('ThawScaleShiftGrad', ({ backend, input, attrs }) => {
  const { relu, hasResidual } = attrs<{ relu: boolean; hasResidual: boolean }>();
  const [dy, y, scale] = [input('dy'), input('y'), input('scale')];
  const plan = planScaleShiftBackward(
    { shape: dy.shape, hasResidual, relu },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    backend.precisionOf(y),
  );
  const { dx, dresidual } = backend.run(plan, { dy, y, scale });
  if (!dx || !dresidual) throw new Error('ThawScaleShiftGrad: an output was not made');
  if (hasResidual) return [dx, dresidual];
  backend.release(dresidual);
  return [dx];
});

const scaleShiftSum = defineKernel('ThawScaleShiftSum', ({ backend, input, attrs }) => {
  const { relu, of } = attrs<{ relu: boolean; of: 'scale' | 'shift' }>();
  const [dy, x, y] = [input('dy'), input('x'), input('y')];
  const [sums, merge] = planChannelSums(
    { shape: dy.shape, relu, factor: of === 'scale' ? 'x' : 'none', epsilon: 0 },
    backend.gpu.limits,
    backend.gpu.tiling('channels'),
    commonPrecision(backend, x, dy),
  );
  const parts = backend.runOne(sums, { dy, x, y });
  const { first, second } = backend.run(merge, { parts });
  backend.release(parts);
  if (!first || !second) throw new Error('ThawScaleShiftSum: an output was not made');
  const [wanted, other] = of === 'scale' ? [second, first] : [first, second];
  backend.release(other);
  return wanted;
});

export const scaleShiftKernels = [scaleShift, scaleShiftGrad, scaleShiftSum];
