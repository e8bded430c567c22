// Labelled images that lie encoded in a few large files: any of them is read by one seek, many of them in large reads.

import { checkIndex, type ImageDataset, type ImagePass, type ReadOptions } from '../../dataset.ts';
import { CorruptImageError } from '../../errors.ts';
import { decodeImage, shorterSideOf } from '../decode.ts';
import { ReadAhead } from './read-ahead.ts';
import { readingOrder, windowLength } from './reading-order.ts';
import { fileOf, readAt, type StoredImages } from './stored-images.ts';

export interface StoredDatasetInit {
  readonly name: string;
  readonly classes: readonly string[];
  readonly images: StoredImages;
  /** A label for each image. */
  readonly labels: Int32Array;
  readonly hash: string;
  /** Where an image comes from. */
  readonly describe: (index: number) => string;
  /** What the user should know: images that were left out. */
  readonly notes: readonly string[];
}

/** Images of tar shards or Parquet files. Places and labels are in memory, never images but those read ahead. */
export class StoredDataset implements ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly hash: string;
  readonly imageSize = null;
  /** What the user should know: images that were left out. */
  readonly notes: readonly string[];
  readonly #images: StoredImages;
  readonly #describe: (index: number) => string;
  readonly #window: number;

  constructor(init: StoredDatasetInit) {
    this.name = init.name;
    this.classes = init.classes;
    this.labels = init.labels;
    this.length = init.labels.length;
    this.hash = init.hash;
    this.notes = init.notes;
    this.#images = init.images;
    this.#describe = init.describe;
    this.#window = windowLength(init.images);
  }

  async readImage(index: number, size: number, options?: ReadOptions): Promise<Uint8Array> {
    return decodeImage(this.#whole(await this.#read(index), index), this.describe(index), size, options);
  }

  async readSide(index: number): Promise<number> {
    return shorterSideOf(this.#whole(await this.#read(index), index), this.describe(index));
  }

  order(indices: Int32Array, seed: number, epoch: number): Int32Array {
    return readingOrder(this.#images, indices, { seed, epoch, window: this.#window });
  }

  readAhead(indices: Int32Array): ImagePass {
    const pass = new ReadAhead(this.#images, indices, { window: this.#window });
    return {
      readImage: async (position, size, options) => {
        const index = indices[position] ?? -1;
        return decodeImage(this.#whole(await pass.take(position), index), this.describe(index), size, options);
      },
      close: () => pass.close(),
    };
  }

  describe(index: number): string {
    checkIndex(this, index);
    return this.#describe(index);
  }

  #read(index: number): Promise<Uint8Array> {
    checkIndex(this, index);
    return readAt(this.#fileOf(index), this.#images.offsets[index] ?? 0, this.#images.sizes[index] ?? 0);
  }

  #whole(bytes: Uint8Array, index: number): Uint8Array {
    if (bytes.length === this.#images.sizes[index]) return bytes;
    throw new CorruptImageError(this.describe(index), `its file ${this.#fileOf(index)} was cut off`);
  }

  #fileOf(index: number): string {
    return this.#images.files[fileOf(this.#images, index)] ?? '';
  }
}
