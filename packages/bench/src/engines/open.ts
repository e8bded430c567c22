// Opens an engine by name, with the gradients of TensorFlow.js's own ops.
import { register, registerCoreGradients, verifyMatrixUnit } from '@thaw/kernels';
import { openDevice } from '@thaw/kernels/node';
import type { Engine, EngineName } from './engine.ts';
import { hostEngine } from './host.ts';
import { tfjsWebgpuEngine } from './tfjs-webgpu.ts';
import { thawEngine } from './thaw.ts';

/** @throws NoAdapterError when Dawn finds no (matching) adapter */
export async function openEngine(name: EngineName, adapter?: string): Promise<Engine> {
  registerCoreGradients();
  switch (name) {
    case 'thaw': {
      const backend = register((await openDevice(adapter === undefined ? {} : { adapter })).device);
      const failed = await verifyMatrixUnit(backend);
      if (failed !== undefined) console.warn(failed);
      return thawEngine(backend);
    }
    case 'tfjs-webgpu':
      return tfjsWebgpuEngine(adapter);
    case 'tfjs-wasm':
    case 'tfjs-cpu':
      return hostEngine(name);
    case 'tfjs-webgl':
      throw new Error('tfjs-webgl runs in a browser only: thaw bench browser measures it.');
    default:
      throw new Error(`unknown engine ${String(name satisfies never)}`);
  }
}
