/** Makes a device a TensorFlow.js backend, named "thaw" or as the program likes. */
import { engine, registerBackend, registerKernel, removeBackend, unregisterKernel } from '@tensorflow/tfjs-core';
import { registerGradients } from '../gradients/index.ts';
import { kernels } from '../kernels/index.ts';
import { tunedDevice } from '../runtime/device.ts';
import type { GpuOptions } from '../runtime/gpu.ts';
import { verifyMatrixUnit } from '../self-check.ts';
import { currentFingerprints } from '../tuning/families.ts';
import { shippedChoices, shippedTables } from '../tuning/shipped.ts';
import { enroll } from './current.ts';
import { BACKEND } from './kernel.ts';
import { ThawBackend } from './thaw-backend.ts';

/** That of TensorFlow.js's own WebGPU backend: over WebGL and WebAssembly (2) and the host (1). */
const PRIORITY = 3;

/** How a device becomes a backend. */
export interface RegisterOptions extends GpuOptions {
  /** Of the backend in TensorFlow.js. Default "thaw"; a second device in one program needs a name of its own. */
  readonly name?: string;
}

/** Names of Thaw's backends, and those under which its kernels are registered. */
const own = new Set<string>();
const withKernels = new Set<string>();

const isKnown = (name: string): boolean => name in engine().registryFactory;

/**
 * Makes an open device a backend, with its kernels and all gradients. Then: `await tf.setBackend('thaw')`, or the name given.
 * A backend of Thaw registered under that name before is disposed together with its tensors; its device stays open.
 * @throws when the name is that of somebody else's backend
 */
export function register(device: GPUDevice, { name = BACKEND, ...options }: RegisterOptions = {}): ThawBackend {
  if (isKnown(name)) {
    if (!own.has(name))
      throw new Error(
        `register: TensorFlow.js has a backend '${name}' already, which is not Thaw's; give another name`,
      );
    removeBackend(name);
  }
  const first = createBackend(device, name, options);
  own.add(name);
  let backend = first;
  registerBackend(
    name,
    () => {
      // tf.engine().reset() disposes its backends and asks for them anew.
      if (backend.isDisposed) backend = createBackend(device, name, options);
      return backend;
    },
    PRIORITY,
  );
  return first;
}

/**
 * Registers the backend `thaw` without a device: TensorFlow.js asks for it when the backend is first set. Where the
 * backend is there already, nothing happens.
 * @param open opens the device; where it rejects, TensorFlow.js prints why, and `tf.setBackend('thaw')` gives false
 */
export function registerOnDemand(open: () => Promise<GPUDevice>): void {
  if (isKnown(BACKEND)) return;
  own.add(BACKEND);
  let device: GPUDevice | undefined;
  registerBackend(
    BACKEND,
    async () => {
      device ??= await open();
      const backend = createBackend(device, BACKEND);
      const failed = await verifyMatrixUnit(backend);
      if (failed !== undefined) console.warn(`thaw: ${failed}`);
      return backend;
    },
    PRIORITY,
  );
}

/** Takes the backend of that name back out of TensorFlow.js's registries and disposes it; the device stays open. */
export function unregister(name = BACKEND): void {
  if (!own.delete(name)) return;
  if (isKnown(name)) removeBackend(name);
  if (withKernels.delete(name)) for (const { kernelName } of kernels) unregisterKernel(kernelName, name);
}

function createBackend(device: GPUDevice, name: string, options: GpuOptions = {}): ThawBackend {
  if (withKernels.size === 0) registerGradients();
  if (!withKernels.has(name)) for (const kernel of kernels) registerKernel({ ...kernel, backendName: name });
  withKernels.add(name);
  const choices =
    options.tilings || options.choices ? [] : shippedChoices(shippedTables, tunedDevice(device), currentFingerprints);
  const backend = new ThawBackend(device, { choices, ...options });
  enroll(backend);
  return backend;
}
