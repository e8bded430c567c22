/** tfjs's 'AvgPool' (input x) and 'AvgPoolGrad' (inputs dy, input; of the latter only the shape counts). */
import { defineKernel } from '../../backend/kernel.ts';
import { isIdentity, poolShape, type PoolAttributes } from '../max-pool/max-pool.kernel.ts';
import { planAvgPool, planAvgPoolBackward } from './avg-pool.plan.ts';

export const avgPoolKernels = [
  defineKernel('AvgPool', ({ backend, input, attrs }) => {
    const x = input('x');
    const s = poolShape(x, attrs<PoolAttributes>());
    if (isIdentity(s)) return backend.alias(x, x.shape);
    return backend.runOne(planAvgPool(s, backend.gpu.limits), { x });
  }),
  defineKernel('AvgPoolGrad', ({ backend, input, attrs }) => {
    const [dy, x] = [input('dy'), input('input')];
    return backend.runOne(planAvgPoolBackward(poolShape(x, attrs<PoolAttributes>()), backend.gpu.limits), { dy });
  }),
];
