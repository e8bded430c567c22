// The thaw backend on a device of its own, for a file of tests; where there is no adapter, they are skipped aloud.
import { register, registerCoreGradients, type ThawBackend } from '@thaw/kernels';
import { openDevice } from '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll } from 'vitest';

/** `npm test` sets it where Dawn finds no adapter. */
export const noAdapter = process.env['THAW_NO_ADAPTER'] === '1';

/** Call once a file, outside its tests. @param what the tests are about */
export function testBackend(what: string): () => ThawBackend {
  if (noAdapter)
    console.warn(`SKIPPED: ${what}: needs a WebGPU adapter, and THAW_NO_ADAPTER=1 says that there is none`);
  let backend: ThawBackend | undefined;
  beforeAll(async () => {
    if (noAdapter) return;
    registerCoreGradients();
    backend = register((await openDevice()).device);
    await tf.setBackend('thaw');
  });
  afterAll(() => backend?.gpu.device.destroy());
  return () => {
    if (!backend) throw new Error('no device was opened');
    return backend;
  };
}
