/** 'ThawReluGrad': inputs dy and the ReLU's output y; one output, dy where y > 0. */
import { defineKernel } from '../../backend/kernel.ts';
import { planReluGrad } from './relu-grad.plan.ts';

export const reluGradKernels = [
  defineKernel('ThawReluGrad', ({ backend, input }) => {
    const [dy, y] = [input('dy'), input('y')];
    return backend.runOne(planReluGrad(dy.shape, backend.gpu.limits, backend.gpu.tiling('elementwise').direct), {
      dy,
      y,
    });
  }),
];
