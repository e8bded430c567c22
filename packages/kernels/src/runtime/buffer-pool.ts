/**
 * GPU buffers by size class. Freed buffers are kept for reuse up to a ceiling; beyond it, and on trim(), they are
 * destroyed. Classes are four per octave, so at most a fifth of a buffer is waste.
 */
import { DisposedError, OutOfMemoryError, ThawGpuError } from './errors.ts';

const ALIGNMENT = 256;

/** Smallest size class that holds `bytes`. */
export function sizeClass(bytes: number): number {
  if (bytes <= ALIGNMENT) return ALIGNMENT;
  const step = Math.max(ALIGNMENT, 2 ** (Math.floor(Math.log2(bytes - 1)) - 2));
  return Math.ceil(bytes / step) * step;
}

/** Device memory of a backend, in bytes. */
export interface MemoryReport {
  /** Bytes of buffers that tensors hold. */
  readonly usedBytes: number;
  /** Bytes of free buffers kept for reuse. */
  readonly pooledBytes: number;
  /** Most bytes held at once, used and pooled, since the last trim(). */
  readonly peakBytes: number;
}

export class BufferPool {
  #free = new Map<number, GPUBuffer[]>();
  #used = 0;
  #pooled = 0;
  #peak = 0;
  /** Undefined once disposed. */
  #all: Set<GPUBuffer> | undefined = new Set<GPUBuffer>();

  constructor(
    private readonly device: GPUDevice,
    private readonly usage: GPUBufferUsageFlags,
    private readonly maxPooledBytes: number,
    /** Of all buffers together. */
    private readonly maxBytes: number,
    /** Submits recorded work; false while some of it still waits for its pipeline and may use any buffer. */
    private readonly mayDestroy: () => boolean,
    private readonly onError: (failure: Promise<GPUError | null>, explain: (reason: string) => Error) => void,
  ) {}

  /**
   * A buffer of at least `bytes`; its content is whatever was there before.
   * @throws when the device has no buffers that large, OutOfMemoryError beyond the ceiling, and after dispose()
   */
  acquire(bytes: number): GPUBuffer {
    if (!this.#all) throw new DisposedError();
    const { maxBufferSize } = this.device.limits;
    if (bytes > maxBufferSize)
      throw new ThawGpuError(
        `a tensor of ${bytes.toLocaleString('en')} bytes is larger than this device's largest buffer, ` +
          `${maxBufferSize.toLocaleString('en')}; use a smaller batch or image`,
      );
    const size = Math.min(sizeClass(bytes), maxBufferSize);
    const found = this.#free.get(size)?.pop();
    if (found) {
      this.#used += size;
      this.#pooled -= size;
      return found;
    }
    if (this.#used + this.#pooled + size > this.maxBytes) this.drain();
    if (this.#used + this.#pooled + size > this.maxBytes)
      throw new OutOfMemoryError(size, `${this.#used.toLocaleString('en')} of ${this.maxBytes.toLocaleString('en')} are in use`); // prettier-ignore
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used + this.#pooled);
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ size, usage: this.usage });
    this.onError(this.device.popErrorScope(), (reason) => new OutOfMemoryError(size, reason));
    this.#all.add(buffer);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    if (!this.#all) return;
    this.#used -= buffer.size;
    if (this.#pooled + buffer.size > this.maxPooledBytes && this.mayDestroy()) {
      this.#destroy(buffer);
      return;
    }
    this.#pooled += buffer.size;
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Destroys every free buffer, unless work recorded on them still waits for its pipeline: false then. */
  drain(): boolean {
    if (!this.mayDestroy()) return false;
    for (const list of this.#free.values()) for (const buffer of list) this.#destroy(buffer);
    this.#free.clear();
    this.#pooled = 0;
    return true;
  }

  /** Drains, and counts the peak anew. */
  trim(): void {
    if (this.drain()) this.#peak = this.#used;
  }

  #destroy(buffer: GPUBuffer): void {
    this.#all?.delete(buffer);
    buffer.destroy();
  }

  /** Destroys every buffer, also those that tensors hold. */
  dispose(): void {
    for (const buffer of this.#all ?? []) buffer.destroy();
    this.#all = undefined;
    this.#free.clear();
    this.#used = this.#pooled = 0;
  }

  report(): MemoryReport {
    return { usedBytes: this.#used, pooledBytes: this.#pooled, peakBytes: this.#peak };
  }
}
