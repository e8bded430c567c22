// A process that starts cold on the official WebGPU backend of TensorFlow.js: what a program imports, and its first result.
import { registerBackend } from '@tensorflow/tfjs-core';
import { create, globals } from 'webgpu';
import { defineNavigatorForPeer } from '../engines/peer-navigator.ts';
import { coldStart, countPipelines, lap, uncounted } from './child.ts';

Object.assign(globalThis, globals);
// Imported before there is a navigator: the package would open an adapter of its own choice.
const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
lap('import');
/** Dawn's handle must outlive its devices. */
let gpu: GPU | undefined;
await coldStart(async (adapter) => {
  gpu = create(adapter === undefined ? [] : [`adapter=${adapter}`]);
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!found) throw new Error('no WebGPU adapter was found');
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = found.limits; // prettier-ignore
  const device = await found.requestDevice({
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX }, // prettier-ignore
  });
  const pipelines = countPipelines(device);
  defineNavigatorForPeer();
  const backend = new WebGPUBackend(device, device.adapterInfo);
  registerBackend('webgpu', () => backend);
  // It waits as Thaw does, or the polling would take a core of a software device from this engine alone. Loading that is ours.
  const wait = await uncounted(async () => (await import('@thaw/kernels/node')).waiterOf(device));
  return { backend: 'webgpu', wait, pipelines, close: () => device.destroy() };
});
