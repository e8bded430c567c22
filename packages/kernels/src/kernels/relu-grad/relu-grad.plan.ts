/** Plan of the ReLU's gradient: one pass. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import source from './relu-grad.wgsl?raw';

export const shader = readShader('relu-grad', source);

/** Inputs dy, y; output dx; all stored in `precision`. */
export function planReluGrad(
  shape: readonly number[],
  limits: Limits,
  tuning: Readonly<Record<string, number>> = {},
  precision: Precision = 'float32',
): Plan {
  const tuned = { ...shader.tunables, ...tuning };
  checkBinding('relu-grad', 'dy', shape, limits, precision);
  const size = Math.ceil(elements(shape) / 4);
  const perWorkgroup = (tuned['THREADS'] ?? 256) * (tuned['PER_THREAD'] ?? 4);
  return {
    shader,
    tuning: tuned,
    constants: {},
    params: { size },
    precision,
    workgroups: foldWorkgroups('relu-grad', Math.ceil(size / perWorkgroup), limits),
    outputs: { dx: { shape, dtype: precision } },
  };
}
