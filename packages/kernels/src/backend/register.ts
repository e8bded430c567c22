/** Makes a device the TensorFlow.js backend "thaw". */
import { registerBackend, registerKernel, removeBackend, unregisterKernel } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import { registerGradients } from '../gradients/index.ts';
import { kernels } from '../kernels/index.ts';
import { tunedDevice } from '../runtime/device.ts';
import type { GpuOptions } from '../runtime/gpu.ts';
import { currentFingerprints } from '../tuning/families.ts';
import { shippedChoices, shippedTables } from '../tuning/shipped.ts';
import { BACKEND } from './kernel.ts';
import { ThawBackend } from './thaw-backend.ts';

let registered = false;

/**
 * Registers kernels, gradients and the backend. Then: `await tf.setBackend('thaw')`.
 * A backend registered before is removed together with its tensors; its device stays open.
 */
export function register(device: GPUDevice, options: GpuOptions = {}): ThawBackend {
  if (!registered) {
    for (const kernel of kernels) registerKernel(kernel);
    registerGradients();
    registered = true;
  }
  if (BACKEND in engine().registryFactory) removeBackend(BACKEND);
  const choices =
    options.tilings || options.choices ? [] : shippedChoices(shippedTables, tunedDevice(device), currentFingerprints);
  const backend = new ThawBackend(device, { choices, ...options });
  registerBackend(BACKEND, () => backend, 3);
  return backend;
}

/** Takes everything back out of TensorFlow.js's registries; the device stays open. */
export function unregister(): void {
  if (BACKEND in engine().registryFactory) removeBackend(BACKEND);
  if (registered) for (const { kernelName } of kernels) unregisterKernel(kernelName, BACKEND);
  registered = false;
}
