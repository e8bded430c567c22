// The official WebGPU backend of TensorFlow.js in Node. Only for the peer's own process: the backend refuses to be made where
// navigator.gpu is not defined, and takes WebGPU's classes from the global scope.
import { openDevice, waiterOf } from '@thaw/kernels/node';
import { globals } from 'webgpu';
import type { Engine } from './engine.ts';
import { defineNavigatorForPeer } from './peer-navigator.ts';
import { webgpuEngine } from './tfjs-webgpu-engine.ts';

export async function tfjsWebgpuEngine(adapter?: string): Promise<Engine> {
  Object.assign(globalThis, globals);
  // Imported before there is a navigator: the package would open an adapter of its own choice.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  defineNavigatorForPeer();
  const { device } = await openDevice(adapter === undefined ? {} : { adapter });
  // Waits as Thaw does, or the polling would take a core of a software device from this engine alone.
  return webgpuEngine(WebGPUBackend, device, waiterOf(device));
}
