// Which TensorFlow.js backend a test runs on: 'cpu', 'wasm', or 'thaw' (opens the WebGPU device).
// The network's tests run on a reference backend and on thaw; THAW_TEST_BACKEND=cpu, wasm or thaw picks one.
import * as tf from '@tensorflow/tfjs-core';
import { hasFloat16 } from '@thaw/kernels';
import { describe, type TestContext } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter, openTestDevice } from '../../../kernels/src/testing/adapter.ts';

export { noAdapter };
export type TestBackend = 'cpu' | 'wasm' | 'thaw';

/** The backend that THAW_TEST_BACKEND names, or the given one. */
export function testBackend(preferred: TestBackend): TestBackend {
  const asked = process.env['THAW_TEST_BACKEND'];
  if (asked === undefined || asked === '') return preferred;
  if (asked === 'cpu' || asked === 'wasm' || asked === 'thaw') return asked;
  throw new Error(`THAW_TEST_BACKEND=${asked}: valid are cpu, wasm, thaw.`);
}

/**
 * Tests of `body` on the given backend and on thaw, or on the one THAW_TEST_BACKEND names. Without an adapter the tests on
 * thaw are skipped and say so.
 * @param skip whether all of them are skipped, for want of something else
 */
export function describeOnBackends(
  title: string,
  reference: 'cpu' | 'wasm',
  body: (backend: TestBackend) => void,
  skip = false,
): void {
  const backends: TestBackend[] = process.env['THAW_TEST_BACKEND'] ? [testBackend(reference)] : [reference, 'thaw'];
  for (const backend of backends) {
    const skipped = backend === 'thaw' ? noAdapter : undefined;
    describe.skipIf(skip || skipped)(`${title} on ${backend}${skipped ? ` (${skipped})` : ''}`, () => body(backend));
  }
}

/** Skips a test on a device that cannot store float16. */
export function needsFloat16({ skip }: Pick<TestContext, 'skip'>): void {
  if (!hasFloat16()) skip('this device has no shader-f16');
}

/** Makes a backend current, with the gradients of tfjs's ops registered. */
export async function useBackend(name: TestBackend): Promise<void> {
  const kernels = await import('@thaw/kernels');
  kernels.registerCoreGradients();
  switch (name) {
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      break;
    case 'wasm':
      await import('@tensorflow/tfjs-backend-wasm');
      break;
    case 'thaw': {
      if (tf.findBackend('thaw')) break;
      const { device } = await openTestDevice();
      kernels.register(device);
      break;
    }
    default:
      name satisfies never;
  }
  if (!(await tf.setBackend(name))) throw new Error(`The backend ${name} could not be set.`);
  await tf.ready();
}
