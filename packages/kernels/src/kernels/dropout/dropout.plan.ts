/** Plans dropout. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import source from './dropout.wgsl?raw';

export const shader = readShader('dropout', source);

/** Inputs x, seed; output y. @param salt a whole number that tells apart the dropouts of one step */
export function planDropout(shape: readonly number[], rate: number, salt: number, limits: Limits): Plan {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: the rate must be in [0, 1), got ${rate}`);
  checkBinding('dropout', 'x', shape, limits);
  const size = elements(shape);
  const { THREADS = 1, PER_THREAD = 1 } = shader.tunables;
  return {
    shader,
    tuning: shader.tunables,
    constants: {},
    params: { size, salt, rate, scale: 1 / (1 - rate) },
    workgroups: foldWorkgroups('dropout', Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: { y: { shape, dtype: 'float32' } },
  };
}
