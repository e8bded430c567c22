// Thaw's own backend as an engine.
import type { ThawBackend } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';

/** Thaw's own backend as an engine. @param thaw a registered backend; `close` destroys its device */
export function thawEngine(thaw: ThawBackend): Engine {
  return {
    name: 'thaw',
    backend: 'thaw',
    use: async () => {
      await tf.setBackend('thaw');
    },
    settle: (inFlight) => thaw.settle(inFlight),
    dispatches: () => thaw.dispatchCount,
    peakBytes: () => thaw.memoryReport().peakBytes,
    resetPeak: () => thaw.gpu.trim(),
    close: () => thaw.gpu.device.destroy(),
  };
}
