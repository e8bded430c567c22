/** Buffers that the host reads, by size. */
import { bufferUsage } from './constants.ts';

/** Free buffers kept of each size. */
const MOST = 4;
/** Larger ones are rare (weights, feature maps) and would only sit there. */
const LARGEST_BYTES = 2 ** 24;

export class Staging {
  readonly #free = new Map<number, GPUBuffer[]>();
  #isDisposed = false;

  constructor(private readonly device: GPUDevice) {}

  acquire(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
    const free = this.#free.get(size)?.pop();
    return free ?? this.device.createBuffer({ size, usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST });
  }

  /** Takes back a buffer that is no longer mapped. */
  release(buffer: GPUBuffer): void {
    const list = this.#free.get(buffer.size) ?? [];
    if (this.#isDisposed || list.length >= MOST || buffer.size > LARGEST_BYTES) buffer.destroy();
    else this.#free.set(buffer.size, [...list, buffer]);
  }

  /** Destroys what is free now, and each buffer that comes back. */
  dispose(): void {
    for (const list of this.#free.values()) for (const buffer of list) buffer.destroy();
    this.#free.clear();
    this.#isDisposed = true;
  }
}
