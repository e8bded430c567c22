/** Tests in both precisions of storage; float16 is skipped, aloud, where the device does not have it. */
import { describe } from 'vitest';
import type { Precision } from '../wgsl/shader.ts';
import { random, randomHalves } from './compare.ts';
import { gpu } from './device.ts';

export const hasHalf = gpu.device.features.has('shader-f16');

/** Random numbers in [-1, 1] that the precision holds exactly. */
export type Draw = typeof random;

/** Describes the same tests in float32 and in float16. */
export function describePrecisions(tests: (precision: Precision, draw: Draw) => void): void {
  describe('float32', () => {
    tests('float32', random);
  });
  describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
    tests('float16', randomHalves);
  });
}
