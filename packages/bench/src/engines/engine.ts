// What the benchmark needs of a TensorFlow.js backend: to be made current, to be waited for, and what it counts.

export const ENGINE_NAMES = ['thaw', 'tfjs-webgpu', 'tfjs-wasm', 'tfjs-cpu'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export interface Engine {
  readonly name: EngineName;
  /** Name of its TensorFlow.js backend. */
  readonly backend: string;
  /** Makes it TensorFlow.js's current backend. */
  use(): Promise<void>;
  /** Hands recorded work to the device before it returns; resolves when at most `inFlight` such calls are unfinished. */
  settle(inFlight: number): Promise<void>;
  /** Dispatches so far; undefined where nothing is dispatched to a device. */
  dispatches(): number | undefined;
  /** Most bytes of device memory held at once since `resetPeak`; undefined where there is no device. */
  peakBytes(): number | undefined;
  resetPeak(): void;
  close(): void;
}
