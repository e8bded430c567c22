/** A range of a GPU buffer; a tensor's storage. */
import { ThawGpuError } from './errors.ts';

/** Who gets a slice's bytes back. */
export interface SliceOwner {
  release(slice: BufferSlice): void;
}

export class BufferSlice {
  #buffer: GPUBuffer | undefined;
  #offset: number;
  #owner: SliceOwner;
  /** The tensor is gone: a recorded step that uses it may not run again. */
  isReleased = false;

  /** @param buffer undefined for a tensor of a step that is being recorded, which is placed when the recording is compiled */
  constructor(
    buffer: GPUBuffer | undefined,
    offset: number,
    readonly size: number,
    owner: SliceOwner,
  ) {
    this.#buffer = buffer;
    this.#offset = offset;
    this.#owner = owner;
  }

  /** @throws while the slice has no place */
  get buffer(): GPUBuffer {
    if (!this.#buffer) throw new ThawGpuError('a tensor of a captured step has no values before the step is replayed');
    return this.#buffer;
  }

  get offset(): number {
    return this.#offset;
  }

  get owner(): SliceOwner {
    return this.#owner;
  }

  get isPlaced(): boolean {
    return this.#buffer !== undefined;
  }

  /** Everyone who holds the slice finds it at its new place. */
  move(buffer: GPUBuffer, offset: number, owner: SliceOwner): void {
    this.#buffer = buffer;
    this.#offset = offset;
    this.#owner = owner;
  }

  release(): void {
    this.isReleased = true;
    this.#owner.release(this);
  }
}
