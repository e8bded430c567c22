// The official WebGPU backend of TensorFlow.js as an engine, on a device that Thaw opened. Only for the peer's own process:
// the backend refuses to be made where navigator.gpu is not defined, and takes WebGPU's classes from the global scope.
import { openDevice, waiterOf } from '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { globals } from 'webgpu';
import type { Engine } from './engine.ts';
import { defineNavigatorForPeer } from './peer-navigator.ts';

export async function tfjsWebgpuEngine(adapter?: string): Promise<Engine> {
  Object.assign(globalThis, globals);
  // Imported before there is a navigator: the package would open an adapter of its own choice.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  defineNavigatorForPeer();

  class CountingBackend extends WebGPUBackend {
    dispatches = 0;
    override runWebGPUProgram(
      ...args: Parameters<InstanceType<typeof WebGPUBackend>['runWebGPUProgram']>
    ): tf.TensorInfo {
      this.dispatches++;
      return super.runWebGPUProgram(...args);
    }
  }

  const { device } = await openDevice(adapter === undefined ? {} : { adapter });
  const made = new CountingBackend(device, device.adapterInfo);
  tf.registerBackend('webgpu', () => made);
  // Waits as Thaw does, or the polling would take a core of a software device from this engine alone.
  const wait = waiterOf(device);
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
