/**
 * A device of Dawn's null backend: it has every feature and computes nothing, but shaders are compiled for it as for any
 * other, so that those which need what the machine at hand lacks are at least known to be valid.
 */
import { create } from 'webgpu';
import { requestDevice } from '../runtime/device.ts';
import { watchErrors } from './adapter.ts';

const gpu = create(['enable-dawn-features=allow_unsafe_apis', 'backend=null']);

/** Its subgroups have 4 to 128 lanes, so that workgroups that use subgroup matrices must be multiples of 128. */
export const NULL_LANES = 128;

/** @throws when Dawn was built without its null backend */
export async function openNullDevice(): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("Dawn's null backend gave no adapter");
  const device = await requestDevice(adapter);
  watchErrors(device);
  return device;
}
