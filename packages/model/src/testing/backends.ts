// Which TensorFlow.js backend a test runs on: 'cpu', 'wasm', or 'thaw' (opens the WebGPU device).
// THAW_TEST_BACKEND=thaw runs the network's tests on the hand-written kernels.
import * as tf from '@tensorflow/tfjs-core';

export type TestBackend = 'cpu' | 'wasm' | 'thaw';

/** The backend asked for by the environment, or the given one. */
export function testBackend(preferred: TestBackend): TestBackend {
  const asked = process.env['THAW_TEST_BACKEND'];
  if (asked === undefined || asked === '') return preferred;
  if (asked === 'cpu' || asked === 'wasm' || asked === 'thaw') return asked;
  throw new Error(`THAW_TEST_BACKEND=${asked}: valid are cpu, wasm, thaw.`);
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
