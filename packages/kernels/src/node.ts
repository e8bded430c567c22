/**
 * Opens a WebGPU device in Node through Dawn (the `webgpu` package). Importing it is enough:
 * `await tf.setBackend('thaw')` then opens the preferred adapter. Nothing global is touched but XDG_RUNTIME_DIR.
 * @module @thaw/kernels/node
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'webgpu';
import { registerOnDemand } from './backend/register.ts';
import { deviceKind, openAdapter, type OpenedDevice } from './runtime/device.ts';
import { NoAdapterError } from './runtime/errors.ts';
import { Napping } from './runtime/napping.ts';

export { describeAdapter, type AdapterDescription, type OpenedDevice, type WantedLimit } from './runtime/device.ts';
export type { MatrixUnit } from './tuning/tilings.ts';
export { NoAdapterError };

/**
 * How Thaw waits for this device, for programs that wait for it themselves: on a software device in naps, which leave it the
 * core that Dawn's polling would take (docs/decisions/waiting-for-a-software-device.md), else as it comes.
 */
export function waiterOf(device: GPUDevice): <T>(work: Promise<T>) => Promise<T> {
  if (!deviceKind(device).isSoftware) return (work) => work;
  const naps = new Napping();
  return (work) => naps.during(work);
}

/** Which adapter is opened, and how. */
export interface OpenOptions {
  /** Part of the adapter's name, for machines with several. */
  readonly adapter?: string;
  /** Default: high-performance. */
  readonly powerPreference?: GPUPowerPreference;
  /** False leaves the adapter's matrix units alone. Default: as the environment says, where THAW_MATRIX_UNITS=off does so. */
  readonly matrixUnits?: boolean;
}

/**
 * Dawn's toggles, harmless where they mean nothing. `allow_unsafe_apis` shows features that are not in the standard yet, of
 * which only those asked for are used (subgroup matrices); `vulkan_enable_f16_on_nvidia` shows shader-f16 on NVIDIA drivers
 * before 615.71, with which Dawn holds it back for failures in the conformance tests (crbug.com/42251215): `thaw doctor`
 * checks what Thaw needs of it. See docs/decisions/subgroup-matrix.md.
 */
const DAWN_TOGGLES = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];
/** `timestamp_quantization` rounds timestamps to 65 microseconds against pages that spy; a kernel of a GPU takes less. */
const DAWN_TOGGLES_OFF = ['timestamp_quantization'];

/** Dawn's handle must outlive every device made from it. */
const instances: GPU[] = [];

/**
 * Opens the preferred adapter with every limit and every feature that Thaw uses.
 * Dawn prints two warnings about reduced limits for some Vulkan drivers (lavapipe); it has no toggle that silences them.
 * @throws NoAdapterError when Dawn finds no (matching) adapter.
 */
export async function openDevice(options: OpenOptions = {}): Promise<OpenedDevice> {
  // Mesa's drivers want a private folder; without one Dawn prints an error to standard error for each instance.
  process.env['XDG_RUNTIME_DIR'] ??= mkdtempSync(join(tmpdir(), 'thaw-xdg-'));
  const gpu = create([
    `enable-dawn-features=${DAWN_TOGGLES.join()}`,
    `disable-dawn-features=${DAWN_TOGGLES_OFF.join()}`,
    ...(options.adapter === undefined ? [] : [`adapter=${options.adapter}`]),
  ]);
  instances.push(gpu);
  const adapter = await gpu
    .requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' })
    .catch((cause: unknown) => {
      throw new NoAdapterError(`Dawn could not look for a WebGPU adapter: ${String(cause)}`, { cause });
    });
  if (!adapter)
    throw new NoAdapterError(
      options.adapter === undefined
        ? 'no WebGPU adapter was found: install a Vulkan driver (on Debian: mesa-vulkan-drivers 25 or later), or run `thaw doctor`'
        : `no WebGPU adapter has '${options.adapter}' in its name`,
    );
  return openAdapter(adapter, options.matrixUnits ?? process.env['THAW_MATRIX_UNITS'] !== 'off');
}

registerOnDemand(async () => (await openDevice()).device);
