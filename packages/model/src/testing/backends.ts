// Which TensorFlow.js backend a test runs on: 'cpu', 'wasm', or 'thaw' (opens the WebGPU device).
// The network's tests run on a reference backend and on thaw; THAW_TEST_BACKEND=cpu, wasm or thaw picks one.
import * as tf from '@tensorflow/tfjs-core';

export type TestBackend = 'cpu' | 'wasm' | 'thaw';

/** The backend that THAW_TEST_BACKEND names, or the given one. */
export function testBackend(preferred: TestBackend): TestBackend {
  const asked = process.env['THAW_TEST_BACKEND'];
  if (asked === undefined || asked === '') return preferred;
  if (asked === 'cpu' || asked === 'wasm' || asked === 'thaw') return asked;
  throw new Error(`THAW_TEST_BACKEND=${asked}: valid are cpu, wasm, thaw.`);
}

/** The backends to run a test on: the given one, and thaw where there is an adapter; or the one THAW_TEST_BACKEND names. */
export async function testBackends(reference: 'cpu' | 'wasm'): Promise<TestBackend[]> {
  if (process.env['THAW_TEST_BACKEND']) return [testBackend(reference)];
  return (await hasAdapter()) ? [reference, 'thaw'] : [reference];
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
      const { openDevice } = await import('@thaw/kernels/node');
      const { device } = await openDevice();
      kernels.register(device);
      break;
    }
    default:
      name satisfies never;
  }
  if (!(await tf.setBackend(name))) throw new Error(`The backend ${name} could not be set.`);
  await tf.ready();
}

/** Whether this machine has a WebGPU adapter; says so once where it has none. */
export async function hasAdapter(): Promise<boolean> {
  const { openDevice } = await import('@thaw/kernels/node');
  try {
    const { device } = await openDevice();
    device.destroy();
    return true;
  } catch (error) {
    console.warn(`SKIPPED: tests on WebGPU: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
