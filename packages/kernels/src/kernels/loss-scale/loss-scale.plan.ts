/** Plans of loss scaling: looking a gradient through for what is not finite, and adjusting the scale after a step. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { LossScaleRule } from '../../ops/loss-scale.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader } from '../../wgsl/shader.ts';
import adjustSource from './adjust-loss-scale.wgsl?raw';
import noteSource from './note-non-finite.wgsl?raw';

export const noteShader = readShader('note-non-finite', noteSource);
export const adjustShader = readShader('adjust-loss-scale', adjustSource);

/** Input gradient; changed in place: scaling [4]. */
export function planNoteNonFinite(shape: readonly number[], limits: Limits, tuning: Tuning = {}): Plan {
  checkBinding(noteShader.name, 'gradient', shape, limits);
  const tuned = { ...noteShader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const length = elements(shape);
  const size = Math.ceil(length / 4);
  return {
    shader: noteShader,
    tuning: tuned,
    constants: {},
    params: { size, length, granule: 0 },
    workgroups: foldWorkgroups(noteShader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: {},
    elementwise: { perWorkgroup: THREADS * PER_THREAD, shared: ['scaling'], lengths: 'lengths' },
  };
}

/** Changed in place: scale [1], scaling [4]. */
export function planAdjustLossScale({ backoff, growth, interval, least, most }: LossScaleRule): Plan {
  return {
    shader: adjustShader,
    tuning: {},
    constants: {},
    params: { backoff, inverseBackoff: 1 / backoff, growth, inverseGrowth: 1 / growth, interval, least, most },
    workgroups: [1, 1, 1],
    outputs: {},
  };
}
