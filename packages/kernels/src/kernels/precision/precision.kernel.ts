/** 'ThawToFloat16': input x, float32; one output of the same numbers, stored in float16. */
import { defineKernel } from '../../backend/kernel.ts';
import { planConversion } from './precision.plan.ts';

const toFloat16 = defineKernel('ThawToFloat16', ({ backend, input }) => {
  const x = input('x');
  if (backend.precisionOf(x) === 'float16') return backend.alias(x, x.shape);
  const { limits } = backend.gpu;
  return backend.runOne(planConversion(x.shape, 'float16', limits, backend.gpu.tiling('elementwise').direct), { x });
});

export const precisionKernels = [toFloat16];
