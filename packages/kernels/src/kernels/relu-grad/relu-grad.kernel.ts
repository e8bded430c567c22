/** 'ThawReluGrad': inputs dy and the ReLU's output y; one output, dy where y > 0, stored as y is. */
import { defineKernel } from '../../backend/kernel.ts';
import { planReluGrad } from './relu-grad.plan.ts';

export const reluGradKernels = [
  defineKernel('ThawReluGrad', ({ backend, input }) => {
    const [dy, y] = [input('dy'), input('y')];
    const { direct } = backend.gpu.tiling('elementwise');
    return backend.runOne(planReluGrad(dy.shape, backend.gpu.limits, direct, backend.precisionOf(y)), { dy, y });
  }),
];
