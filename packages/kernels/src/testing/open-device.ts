/** The device of tests: Dawn's in Node; in a browser (`npm run test:browser`) the page's own. */
import { describeAdapter, requestDevice } from '../runtime/device.ts';
import type { OpenedDevice } from '../node.ts';

/** @throws where there is no adapter */
export async function openDevice(): Promise<OpenedDevice> {
  if (typeof document === 'undefined') return (await import('../node.ts')).openDevice();
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('this browser has no WebGPU adapter');
  const description = describeAdapter(adapter);
  return { ...description, device: await requestDevice(adapter) };
}
