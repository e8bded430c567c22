/**
 * 'ThawGlobalAveragePool': input x [batch, height, width, channels]; output [batch, channels].
 * 'ThawGlobalAveragePoolGrad': input dy [batch, channels]; attributes height, width; one output.
 */
import { defineKernel } from '../../backend/kernel.ts';
import { planGlobalAveragePool, planGlobalAveragePoolBackward } from './global-average-pool.plan.ts';

export const globalAveragePoolKernels = [
  defineKernel('ThawGlobalAveragePool', ({ backend, input }) => {
    const x = input('x');
    const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
    return backend.runOne(planGlobalAveragePool([batch, height, width, channels], backend.gpu.limits), { x });
  }),
  defineKernel('ThawGlobalAveragePoolGrad', ({ backend, input, attrs }) => {
    const { height, width } = attrs<{ height: number; width: number }>();
    const dy = input('dy');
    const [batch = 0, channels = 0] = dy.shape;
    return backend.runOne(planGlobalAveragePoolBackward([batch, height, width, channels], backend.gpu.limits), { dy });
  }),
];
