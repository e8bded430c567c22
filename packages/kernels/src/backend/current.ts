/**
 * Which of TensorFlow.js's backends are Thaw's. Known here without their code, so that an op that a page uses on another
 * backend brings neither runtime nor shaders along.
 */
import { backend as currentBackend, type KernelBackend } from '@tensorflow/tfjs-core';
import type { ThawBackend } from './thaw-backend.ts';

const own = new WeakMap<KernelBackend, ThawBackend>();

/** Makes a backend known as Thaw's. */
export function enroll(backend: ThawBackend): void {
  own.set(backend, backend);
}

/** TensorFlow.js's current backend, where it is one of Thaw's. */
export const currentThaw = (): ThawBackend | undefined => own.get(currentBackend());
