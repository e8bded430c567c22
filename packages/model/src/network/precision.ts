// In which precision the trunk computes.
import { hasFloat16, ThawBackend } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** mixed: stored in float16, summed in float32. */
export type Precision = 'float32' | 'mixed';

/** @throws when the current backend or its device cannot compute so, with the remedy */
export function checkPrecision(precision: Precision): void {
  if (precision === 'float32' || hasFloat16()) return;
  const lack =
    tf.backend() instanceof ThawBackend
      ? 'this device or its driver has no shader-f16 feature'
      : `the ${tf.getBackend()} backend has no float16 (only thaw, on WebGPU, has)`;
  throw new Error(`mixed precision: ${lack}; use float32.`);
}
