/**
 * 'ThawGlobalAveragePool': input x [batch, height, width, channels]; output [batch, channels], in float32.
 * 'ThawGlobalAveragePoolGrad': input dy [batch, channels]; attributes GlobalAveragePoolAttributes; one output.
 */
import { defineKernel } from '../../backend/kernel.ts';
import type { GlobalAveragePoolAttributes } from '../../ops/global-average-pool.ts';
import { planGlobalAveragePool, planGlobalAveragePoolBackward } from './global-average-pool.plan.ts';

export const globalAveragePoolKernels = [
  defineKernel('ThawGlobalAveragePool', ({ backend, input }) => {
    const x = input('x');
    const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
    const plan = planGlobalAveragePool([batch, height, width, channels], backend.gpu.limits, backend.precisionOf(x));
    return backend.runOne(plan, { x });
  }),
  defineKernel('ThawGlobalAveragePoolGrad', ({ backend, input, attrs }) => {
    const { height, width, precision } = attrs<GlobalAveragePoolAttributes>();
    const dy = input('dy');
    const [batch = 0, channels = 0] = dy.shape;
    const plan = planGlobalAveragePoolBackward([batch, height, width, channels], backend.gpu.limits, precision);
    return backend.runOne(plan, { dy });
  }),
];
