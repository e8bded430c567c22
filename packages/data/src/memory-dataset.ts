// A data set whose images all have one size and are made by a function from memory: CIFAR, drawn images, arrays.

import { checkIndex, checkReadOptions, type ImageDataset, type ReadOptions } from './dataset.ts';
import { DataError } from './errors.ts';
import { resizeAndCrop } from './resize.ts';

/** What a data set in memory is made of. */
export interface MemoryDatasetInit {
  /** As messages call it. */
  readonly name: string;
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[];
  /** One of each image. */
  readonly labels: Int32Array;
  /** Identifies the content: a key for caches. */
  readonly hash: string;
  /** Of every image. */
  readonly imageSize: {
    /** Pixels. */
    readonly height: number;
    /** Pixels. */
    readonly width: number;
  };
  /** Writes image `index` into `out`: height * width * 3 bytes, RGB, row by row. */
  readonly read: (index: number, out: Uint8Array) => void;
  /** Where an image comes from; default its number. */
  readonly describe?: ((index: number) => string) | undefined;
}

/** Images of one size in memory, or drawn on demand. */
export class MemoryDataset implements ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly hash: string;
  readonly imageSize: {
    /** Pixels. */
    readonly height: number;
    /** Pixels. */
    readonly width: number;
  };
  readonly #read: (index: number, out: Uint8Array) => void;
  readonly #describe: (index: number) => string;

  /** @throws DataError where a label has no class */
  constructor(init: MemoryDatasetInit) {
    this.name = init.name;
    this.classes = init.classes;
    this.labels = init.labels;
    this.length = init.labels.length;
    this.hash = init.hash;
    this.imageSize = init.imageSize;
    this.#read = init.read;
    this.#describe = init.describe ?? ((index) => `${init.name} image ${index}`);
    const wrong = init.labels.findIndex((label) => label < 0 || label >= init.classes.length);
    if (wrong >= 0) {
      throw new DataError(
        `${this.#describe(wrong)}: label ${init.labels[wrong]} is not one of ${init.classes.length} classes (0 to ${init.classes.length - 1})`,
      );
    }
  }

  async readImage(index: number, size: number, options?: ReadOptions): Promise<Uint8Array> {
    checkIndex(this, index);
    checkReadOptions(size, options);
    const { height, width } = this.imageSize;
    const rgb = new Uint8Array(height * width * 3);
    this.#read(index, rgb);
    const ratio = options?.resizeShorter ?? 1;
    if (height === size && width === size && Math.round(size * ratio) === size) return rgb;
    return resizeAndCrop(rgb, height, width, size, ratio);
  }

  describe(index: number): string {
    checkIndex(this, index);
    return this.#describe(index);
  }
}
