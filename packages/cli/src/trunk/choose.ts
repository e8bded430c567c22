// Whether the trunk runs on the device or on tfjs-wasm, and on how many threads: the rules. Pure.

/** Images per second of each. */
export interface TrunkSpeeds {
  readonly device: number;
  readonly wasm: number;
}

/** What ran the trunk; the speeds where both were measured. */
export interface TrunkUse {
  readonly engine: 'device' | 'wasm';
  /** Of tfjs-wasm. */
  readonly threads?: number | undefined;
  readonly imagesPerSecond?: TrunkSpeeds | undefined;
}

/** The faster. Of equals the device, which needs no threads. */
export const fasterEngine = ({ device, wasm }: TrunkSpeeds): TrunkUse['engine'] => (wasm > device ? 'wasm' : 'device');

/**
 * Images of a run that is timed: as many as have the pixels of 32 images of 32 x 32, so that large images are not measured for
 * minutes, and at least four.
 */
export function measuredImages(batchSize: number, imageSize: number): number {
  return Math.min(batchSize, Math.max(4, Math.round((32 * 32 ** 2) / imageSize ** 2)));
}

/**
 * A measurement is nine such runs on the device and seven on each thread, the time of about fourteen on the device. Of 64
 * that is a fifth, in vain where the device is the faster.
 */
const LEAST_RUNS = 64;
/** Seconds on the device: the threads' start alone takes one or two. */
const LEAST_SECONDS = 20;

/** Whether so many images are worth measuring the device. */
export const paysToMeasure = (images: number, batchSize: number, imageSize: number): boolean =>
  images >= LEAST_RUNS * measuredImages(batchSize, imageSize);

/** Whether so many images at the device's speed are worth starting threads. */
export const paysToStart = (images: number, devicePerSecond: number): boolean =>
  images / devicePerSecond >= LEAST_SECONDS;

export interface ThreadRoom {
  readonly cores: number;
  /** Memory that may be taken. */
  readonly freeBytes: number;
  readonly batches: number;
  readonly batchSize: number;
  readonly imageSize: number;
}

/** A thread with its network: 280 MiB in all were measured at 32 x 32, batch 32, where tensors are 9 MiB of it. */
const THREAD_BYTES = 280 * 2 ** 20;
/** Tensors alive at a time in the first blocks, float32 values for each pixel of the input. */
const VALUES_PER_PIXEL = 64;

/** Threads that have a core, a batch and memory, at most half of what is free; 0 where there is no memory for one. */
export function threadsThatFit({ cores, freeBytes, batches, batchSize, imageSize }: ThreadRoom): number {
  const each = THREAD_BYTES + 4 * VALUES_PER_PIXEL * batchSize * imageSize ** 2;
  return Math.min(cores, batches, Math.floor(freeBytes / 2 / each));
}
