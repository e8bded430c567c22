// The official WebGPU backend of TensorFlow.js as an engine, on a device that Thaw opened.
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';

type BackendClass = typeof import('@tensorflow/tfjs-backend-webgpu').WebGPUBackend;

/**
 * @param WebGPUBackend the class, whose package the caller imports when it may
 * @param wait how the program waits for the device
 */
export function webgpuEngine(
  WebGPUBackend: BackendClass,
  device: GPUDevice,
  wait: <T>(work: Promise<T>) => Promise<T>,
): Engine {
  class CountingBackend extends WebGPUBackend {
    dispatches = 0;
    override runWebGPUProgram(...args: Parameters<InstanceType<BackendClass>['runWebGPUProgram']>): tf.TensorInfo {
      this.dispatches++;
      return super.runWebGPUProgram(...args);
    }
  }

  const made = new CountingBackend(device, device.adapterInfo);
  // In a browser the package has registered a backend of its own making.
  if ('webgpu' in tf.engine().registryFactory) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => made);
  const unfinished: Promise<unknown>[] = [];
  let failure: string | undefined;
  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= error.message;
  });
  return {
    name: 'tfjs-webgpu',
    backend: 'webgpu',
    use: async () => {
      if (!(await tf.setBackend('webgpu'))) throw new Error('The webgpu backend of TensorFlow.js did not start.');
    },
    async settle(inFlight) {
      // As its own reads do: submitQueue ends no open pass, and fails where nothing was recorded since the last submit.
      made.ensureCommandEncoderReady();
      made.endComputePassEncoder();
      made.submitQueue();
      unfinished.push(device.queue.onSubmittedWorkDone());
      while (unfinished.length > inFlight) await wait(Promise.resolve(unfinished.shift()));
      if (failure !== undefined) throw new Error(`tfjs-webgpu: ${failure}`);
    },
    dispatches: () => made.dispatches,
    // It frees no buffer that it may use again, so what it has allocated is its peak.
    peakBytes: () => made.bufferManager.numBytesAllocated,
    resetPeak: () => undefined,
    close: () => device.destroy(),
  };
}
