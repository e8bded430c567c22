/**
 * Opens a WebGPU device through `navigator.gpu`. Importing it is enough:
 * `await tf.setBackend('thaw')` then opens the preferred adapter.
 * @module @thaw/kernels/browser
 */
import { registerOnDemand } from './backend/register.ts';
import { openAdapter, type OpenedDevice } from './runtime/device.ts';
import { NoAdapterError } from './runtime/errors.ts';

export { describeAdapter, type AdapterDescription, type OpenedDevice, type WantedLimit } from './runtime/device.ts';
export type { MatrixUnit } from './tuning/tilings.ts';
export { NoAdapterError };

/** Which adapter is opened, and how. */
export interface OpenOptions {
  /** Default: high-performance. */
  readonly powerPreference?: GPUPowerPreference;
  /** False leaves the adapter's matrix units alone. */
  readonly matrixUnits?: boolean;
}

/**
 * Opens the preferred adapter with every limit and every feature that Thaw uses.
 * @throws NoAdapterError where the page is not secure, the browser has no WebGPU, or the machine no adapter
 */
export async function openDevice({
  powerPreference = 'high-performance',
  matrixUnits = true,
}: OpenOptions = {}): Promise<OpenedDevice> {
  if (!globalThis.isSecureContext)
    throw new NoAdapterError('WebGPU is for secure pages only: serve this one from https:// or http://localhost');
  // Typed as always there.
  const gpu = navigator.gpu as GPU | undefined;
  if (!gpu)
    throw new NoAdapterError(
      'this browser has no WebGPU: use Chrome or Edge 113 or later, Safari 26 or later, or Firefox 141 or later' +
        ' (on Linux, Chrome may want chrome://flags/#enable-unsafe-webgpu)',
    );
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter)
    throw new NoAdapterError(
      'this browser has WebGPU and found no adapter for it: switch hardware acceleration on in its settings, update the' +
        ' graphics driver, and look at chrome://gpu or about:support for what is blocked',
    );
  return openAdapter(adapter, matrixUnits);
}

registerOnDemand(async () => (await openDevice()).device);
