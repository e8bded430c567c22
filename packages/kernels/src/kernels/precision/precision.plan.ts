/** Plans the two conversions between float32 and float16 storage. Neighbours of a recorded step become one dispatch. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import narrowSource from './narrow.wgsl?raw';
import widenSource from './widen.wgsl?raw';

export const narrowShader = readShader('narrow', narrowSource);
export const widenShader = readShader('widen', widenSource);

/** Input x, stored as `to` is not; output y, stored as `to`. */
export function planConversion(shape: readonly number[], to: Precision, limits: Limits, tuning: Tuning = {}): Plan {
  const shader = to === 'float16' ? narrowShader : widenShader;
  checkBinding(shader.name, to === 'float16' ? 'x' : 'y', shape, limits);
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const size = Math.ceil(elements(shape) / 4);
  return {
    shader,
    tuning: tuned,
    constants: {},
    precision: 'float16',
    params: { size },
    workgroups: foldWorkgroups(shader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: { y: { shape, dtype: to } },
    elementwise: { perWorkgroup: THREADS * PER_THREAD },
  };
}
