/** Makes a device the TensorFlow.js backend "thaw". */
import { engine, registerBackend, registerKernel, removeBackend, unregisterKernel } from '@tensorflow/tfjs-core';
import { registerGradients } from '../gradients/index.ts';
import { kernels } from '../kernels/index.ts';
import { tunedDevice } from '../runtime/device.ts';
import type { GpuOptions } from '../runtime/gpu.ts';
import { verifyMatrixUnit } from '../self-check.ts';
import { currentFingerprints } from '../tuning/families.ts';
import { shippedChoices, shippedTables } from '../tuning/shipped.ts';
import { BACKEND } from './kernel.ts';
import { ThawBackend } from './thaw-backend.ts';

/** That of TensorFlow.js's own WebGPU backend: over WebGL and WebAssembly (2) and the host (1). */
const PRIORITY = 3;

let registered = false;

/**
 * Makes an open device the backend `thaw`, with its kernels and all gradients. Then: `await tf.setBackend('thaw')`.
 * A backend registered before is removed together with its tensors; its device stays open.
 */
export function register(device: GPUDevice, options: GpuOptions = {}): ThawBackend {
  if (BACKEND in engine().registryFactory) removeBackend(BACKEND);
  const backend = createBackend(device, options);
  registerBackend(BACKEND, () => backend, PRIORITY);
  return backend;
}

/**
 * Registers the backend `thaw` without a device: TensorFlow.js asks for it when the backend is first set. Where the
 * backend is there already, nothing happens.
 * @param open opens the device; where it rejects, TensorFlow.js prints why, and `tf.setBackend('thaw')` gives false
 */
export function registerOnDemand(open: () => Promise<GPUDevice>): void {
  if (BACKEND in engine().registryFactory) return;
  registerBackend(
    BACKEND,
    async () => {
      const backend = createBackend(await open());
      const failed = await verifyMatrixUnit(backend);
      if (failed !== undefined) console.warn(`thaw: ${failed}`);
      return backend;
    },
    PRIORITY,
  );
}

/** Takes everything back out of TensorFlow.js's registries; the device stays open. */
export function unregister(): void {
  if (BACKEND in engine().registryFactory) removeBackend(BACKEND);
  if (registered) for (const { kernelName } of kernels) unregisterKernel(kernelName, BACKEND);
  registered = false;
}

function createBackend(device: GPUDevice, options: GpuOptions = {}): ThawBackend {
  if (!registered) {
    for (const kernel of kernels) registerKernel(kernel);
    registerGradients();
    registered = true;
  }
  const choices =
    options.tilings || options.choices ? [] : shippedChoices(shippedTables, tunedDevice(device), currentFingerprints);
  return new ThawBackend(device, { choices, ...options });
}
