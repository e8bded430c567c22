// Opens the TensorFlow.js backend a command computes on, and says what it is.
import { registerCoreGradients, register, verifyMatrixUnit, type ThawBackend } from '@thaw/kernels';
import { NoAdapterError, openDevice, type OpenedDevice } from '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { CommandError, UsageError } from '../errors.ts';
import { findHomes } from './home.ts';
import { applyTuning } from './tuning.ts';
import { startWasm } from './wasm.ts';
import type { Io } from '../io.ts';
import type { Output } from '../output.ts';
import type { BackendChoice, Settings } from '../options/settings.ts';

/** What a run was computed on, for its folder and its report. */
export interface DeviceInfo {
  readonly backend: 'thaw' | 'wasm' | 'cpu';
  /** "llvmpipe (LLVM 19.1.7, 256 bits)", "WebAssembly". */
  readonly name: string;
  readonly driver: string;
  /** A processor that plays a GPU, or no GPU at all. */
  readonly isSoftware: boolean;
}

export interface DeviceMemory {
  readonly usedBytes: number;
  readonly peakBytes: number;
}

export interface OpenBackend {
  readonly info: DeviceInfo;
  /** Whether every layer can train: WebAssembly has no gradient of a convolution's filter. */
  readonly canThaw: boolean;
  readonly opened: OpenedDevice | undefined;
  /** Why the device is gone, where it is. */
  lost(): string | undefined;
  /** Thaw's own backend, where it is that. */
  readonly thaw: ThawBackend | undefined;
  /** Bounds the steps in flight, and throws what the device found wrong. */
  settle(): Promise<void>;
  memory(): DeviceMemory | undefined;
  /** Dispatches so far; undefined where there are none to count. */
  dispatches(): number | undefined;
  close(): void;
}

export interface BackendOptions {
  readonly io: Pick<Io, 'env' | 'cwd'>;
  /** Takes a sentence that the user should see. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Leaves this machine's own tuned tilings aside. */
  readonly untuned?: boolean;
  readonly backend: BackendChoice;
  readonly adapter?: string | undefined;
  /** What the command is about to do needs gradients of the trunk's layers. */
  readonly thaws?: boolean;
  /** In which the trunk is to compute. */
  readonly precision?: Settings['precision'] | undefined;
  readonly onFallback?: ((reason: string) => void) | undefined;
}

/** How to get a driver, in one sentence. */
export function driverAdvice(platform: NodeJS.Platform = process.platform): string {
  switch (platform) {
    case 'linux':
      return "Install a Vulkan driver: the vendor's for your GPU, or Mesa 25 or later (on Debian 12: apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1); beside NVIDIA's driver on a machine without a display, libegl1.";
    case 'win32':
      return 'Update the graphics driver; Direct3D 12 or Vulkan is needed.';
    case 'darwin':
      return 'macOS 13 or later on a machine with Metal is needed.';
    default:
      return `Thaw's WebGPU library has builds for Linux, Windows and macOS; this is ${platform}.`;
  }
}

/**
 * Opens the backend and makes it TensorFlow.js's current one.
 * @throws CommandError where the wanted one cannot be had, or cannot do what `thaws` asks
 */
export async function openBackend(options: BackendOptions): Promise<OpenBackend> {
  const { backend, precision, thaws = false } = options;
  if (precision === 'mixed' && (backend === 'wasm' || backend === 'cpu'))
    throw new UsageError(
      `--precision mixed: the ${backend} backend has no float16; use --precision float32, or --backend thaw on a device with shader-f16.`,
    );
  registerCoreGradients();
  switch (backend) {
    case 'thaw':
      return openThaw(options);
    case 'wasm':
      if (thaws)
        throw new UsageError(
          '--backend wasm: WebAssembly has no gradient of a convolution, so it can only train with --thaw none; thawing layers needs WebGPU.',
        );
      return openWasm();
    case 'cpu':
      return openCpu();
    case 'auto':
      try {
        return await openThaw(options);
      } catch (error) {
        if (!(error instanceof CommandError) || options.adapter !== undefined) throw error;
        if (precision === 'mixed')
          throw new CommandError(`${error.message} --precision float32 needs none of that and runs on WebAssembly.`);
        if (thaws)
          throw new CommandError(
            `${error.message} Without it only a frozen trunk can be trained: --thaw none runs on WebAssembly.`,
          );
        options.onFallback?.(error.message);
        return openWasm();
      }
    default:
      throw new UsageError(`--backend: unknown backend "${String(backend satisfies never)}".`);
  }
}

/** Opens the backend of a command that has nothing of its own to say to what is noted, or to WebAssembly in WebGPU's place. */
export const openForCommand = (
  settings: Pick<BackendOptions, 'backend' | 'adapter' | 'thaws' | 'precision'>,
  { io, output }: { readonly io: BackendOptions['io']; readonly output: Output },
): Promise<OpenBackend> =>
  openBackend({
    io,
    onNote: (note) => output.say(note),
    ...settings,
    onFallback: (reason) => output.warnHere(`${reason} Going on with WebAssembly.`),
  });

async function openThaw({ adapter, io, onNote, untuned, precision }: BackendOptions): Promise<OpenBackend> {
  const opened = await openDevice(adapter === undefined ? {} : { adapter }).catch((error: unknown) => {
    if (!(error instanceof NoAdapterError)) throw error;
    if (adapter !== undefined) throw new CommandError(`--adapter: ${error.message}; thaw doctor lists what there is.`);
    throw new CommandError(`No WebGPU adapter was found. ${driverAdvice()}`);
  });
  if (precision === 'mixed' && !opened.device.features.has('shader-f16')) {
    opened.device.destroy();
    throw new CommandError(
      `--precision mixed: ${opened.name} (${opened.driver}) has no shader-f16; use --precision float32.`,
    );
  }
  const backend = register(opened.device);
  const failed = precision === 'float32' ? undefined : await verifyMatrixUnit(backend);
  if (failed !== undefined) onNote?.(failed);
  const named = { adapter: opened.name, driver: opened.driver };
  if (untuned !== true) await applyTuning(backend.gpu, named, (await findHomes(io)).all, onNote ?? (() => undefined));
  await tf.setBackend('thaw');
  let lost: string | undefined;
  void opened.device.lost.then(({ reason, message }) => (lost = `${reason}: ${message}`));
  return {
    info: { backend: 'thaw', name: opened.name, driver: opened.driver, isSoftware: opened.isSoftware },
    canThaw: true,
    opened,
    lost: () => lost,
    thaw: backend,
    settle: () => backend.settle(),
    memory: () => backend.memoryReport(),
    dispatches: () => backend.dispatchCount,
    close: () => {
      tf.removeBackend('thaw');
      opened.device.destroy();
    },
  };
}

async function openWasm(): Promise<OpenBackend> {
  await startWasm();
  return hostBackend(
    { backend: 'wasm', name: 'WebAssembly', driver: `tfjs-backend-wasm ${tf.version_core}`, isSoftware: true },
    false,
  );
}

async function openCpu(): Promise<OpenBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  return hostBackend(
    { backend: 'cpu', name: 'JavaScript', driver: `tfjs-backend-cpu ${tf.version_core}`, isSoftware: true },
    true,
  );
}

function hostBackend(info: DeviceInfo, canThaw: boolean): OpenBackend {
  return {
    info,
    canThaw,
    opened: undefined,
    lost: () => undefined,
    thaw: undefined,
    // Lets timers and signals run between steps, which compute synchronously here.
    settle: () => new Promise((done) => setImmediate(done)),
    memory: () => undefined,
    dispatches: () => undefined,
    close: () => undefined,
  };
}
