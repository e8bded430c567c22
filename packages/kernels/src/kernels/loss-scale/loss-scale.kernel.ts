/**
 * 'ThawNoteNonFinite': inputs gradient, scaling [4]; output [scaling].
 * 'ThawAdjustLossScale': inputs scale [], scaling [4]; attributes LossScaleRule; outputs [scale, scaling].
 * Outputs are the inputs' own storage, changed in place.
 */
import { changeable } from '../../backend/in-place.ts';
import { defineKernel } from '../../backend/kernel.ts';
import type { LossScaleRule } from '../../ops/loss-scale.ts';
import { planAdjustLossScale, planNoteNonFinite } from './loss-scale.plan.ts';

const noteNonFinite = defineKernel('ThawNoteNonFinite', ({ backend, input }) => {
  const gradient = input('gradient');
  const scaling = changeable(backend, input('scaling'));
  const plan = planNoteNonFinite(gradient.shape, backend.gpu.limits, backend.gpu.tiling('elementwise').direct);
  backend.run(plan, { gradient, lengths: gradient, scaling });
  return [scaling];
});

const adjustLossScale = defineKernel('ThawAdjustLossScale', ({ backend, input, attrs }) => {
  const [scale, scaling] = [changeable(backend, input('scale')), changeable(backend, input('scaling'))];
  backend.run(planAdjustLossScale(attrs<LossScaleRule>()), { scale, scaling });
  return [scale, scaling];
});

export const lossScaleKernels = [noteNonFinite, adjustLossScale];
