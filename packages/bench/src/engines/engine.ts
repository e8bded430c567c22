// What the benchmark needs of a TensorFlow.js backend: to be made current, to be waited for, and what it counts.

/** The engines there are. */
export const ENGINE_NAMES = ['thaw', 'tfjs-webgpu', 'tfjs-webgl', 'tfjs-wasm', 'tfjs-cpu'] as const;
/** The name of an engine. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** A TensorFlow.js backend as the benchmarks use it. */
export interface Engine {
  /** Which engine it is. */
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
  /** Starts the count of `peakBytes` anew. */
  resetPeak(): void;
  /** Ends the engine and frees its device; it cannot be used again. */
  close(): void;
}
