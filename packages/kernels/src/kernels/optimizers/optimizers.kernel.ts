/**
 * 'ThawAdam': inputs value, gradient, m, v; outputs [value, m, v].
 * 'ThawSgd': inputs value, gradient, velocity?; outputs [value] or [value, velocity].
 * The outputs are the inputs' own storage, changed in place, unless another tensor shares it: then a copy is changed, so
 * that a clone somebody kept (the best weights so far) never moves.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { planAdam, planCopy, planSgd, planSgdPlain, type AdamSettings, type SgdSettings } from './optimizers.plan.ts';

const targetOf = ({ gpu }: ThawBackend) => ({ limits: gpu.limits, tuning: gpu.tiling('elementwise').direct });

/** The tensor to change in place: the input's storage, or a copy of it where the input is not its only owner. */
function changeable(backend: ThawBackend, tensor: TensorInfo): TensorInfo {
  if (backend.refCount(tensor.dataId) > 1)
    return backend.runOne(planCopy(tensor.shape, targetOf(backend)), { x: tensor });
  backend.invalidateHost(tensor);
  return backend.alias(tensor, tensor.shape);
}

const adam = defineKernel('ThawAdam', ({ backend, input, attrs }) => {
  const gradient = input('gradient');
  const given = [input('value'), input('m'), input('v')] as const;
  given.forEach((tensor, i) => {
    checkShape('ThawAdam', ['value', 'm', 'v'][i] ?? '', tensor, gradient.shape);
  });
  const plan = planAdam(gradient.shape, attrs<AdamSettings>(), targetOf(backend));
  const [value, m, v] = [changeable(backend, given[0]), changeable(backend, given[1]), changeable(backend, given[2])];
  backend.run(plan, { gradient, value, m, v });
  return [value, m, v];
});

const sgd = defineKernel('ThawSgd', ({ backend, input, optional, attrs }) => {
  const settings = attrs<SgdSettings>();
  const [gradient, before, velocityBefore] = [input('gradient'), input('value'), optional('velocity')];
  const target = targetOf(backend);
  checkShape('ThawSgd', 'value', before, gradient.shape);
  checkShape('ThawSgd', 'velocity', velocityBefore, gradient.shape);
  if (!velocityBefore) {
    if (settings.momentum !== 0) throw new Error(`ThawSgd: momentum ${settings.momentum} needs a velocity`);
    const value = changeable(backend, before);
    backend.run(planSgdPlain(gradient.shape, settings, target), { gradient, value });
    return [value];
  }
  const plan = planSgd(gradient.shape, settings, target);
  const [value, velocity] = [changeable(backend, before), changeable(backend, velocityBefore)];
  backend.run(plan, { gradient, value, velocity });
  return [value, velocity];
});

export const optimizerKernels = [adam, sgd];
