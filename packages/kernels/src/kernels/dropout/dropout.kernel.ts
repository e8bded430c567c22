/** 'ThawDropout': inputs x, seed [1] int32; attributes rate, salt; one output. */
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planDropout } from './dropout.plan.ts';

const dropout = defineKernel('ThawDropout', ({ backend, input, attrs }) => {
  const { rate, salt } = attrs<{ rate: number; salt: number }>();
  const [x, seed] = [input('x'), input('seed')];
  checkShape('ThawDropout', 'seed', seed, [1]);
  return backend.runOne(planDropout(x.shape, rate, salt, backend.gpu.limits), { x, seed });
});

export const dropoutKernels = [dropout];
