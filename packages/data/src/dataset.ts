// What a data set is to the rest of Thaw: labelled RGB images, read one by one.

/** How an image is brought to a square of `size` pixels. */
export interface ReadOptions {
  /**
   * The shorter side is resized to `size * resizeShorter`, then the centre is cropped. 1 (the default) keeps all of the
   * shorter side; 256 / 224 is the usual evaluation on ImageNet. At least 1.
   */
  readonly resizeShorter?: number | undefined;
}

/** Labelled images. Implementations keep no decoded image unless all of them are small. */
export interface ImageDataset {
  /** As messages call it. */
  readonly name: string;
  /** Class names; a label is an index into them. Empty where images have no labels. */
  readonly classes: readonly string[];
  /** Number of images. */
  readonly length: number;
  /** `length` labels from 0 to `classes.length - 1`; all -1 where images have no labels. */
  readonly labels: Int32Array;
  /** Identifies the content (the files' bytes, or their paths, sizes and times): a key for caches. */
  readonly hash: string;
  /** Size in pixels as stored, or null where it differs from file to file. */
  readonly imageSize: {
    /** Pixels. */
    readonly height: number;
    /** Pixels. */
    readonly width: number;
  } | null;
  /**
   * @returns `size * size * 3` bytes, RGB, row by row
   * @throws CorruptImageError where the image cannot be decoded
   */
  readImage(index: number, size: number, options?: ReadOptions): Promise<Uint8Array>;
  /** Where the image comes from: a file's path, or "test_batch.bin record 17". */
  describe(index: number): string;
  /**
   * Shorter side of an image as it lies, in pixels, without decoding it; where `imageSize` is null.
   * @throws CorruptImageError where it cannot be told
   */
  readSide?(index: number): Promise<number>;
  /**
   * The positions of `indices` in the order of an epoch: random, the same for the same seed and epoch everywhere, and such that
   * images that lie together are read together. Absent where every order reads as fast.
   */
  order?(indices: Int32Array, seed: number, epoch: number): Int32Array;
  /** A pass over these images in this order, read ahead; absent where images are read one by one. */
  readAhead?(indices: Int32Array): ImagePass;
}

/** Images in an order that is known ahead. */
export interface ImagePass {
  /** As `readImage` of the data set, by position in the order. Positions ascend, and each is asked for once at most. */
  readImage(position: number, size: number, options?: ReadOptions): Promise<Uint8Array>;
  /** Lets go of what was read ahead. */
  close(): void;
}

/** @throws RangeError where `index` is not an image of `dataset` */
export function checkIndex(dataset: Pick<ImageDataset, 'name' | 'length'>, index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.length) {
    throw new RangeError(`${dataset.name}: no image ${index}; it has ${dataset.length}, counted from 0`);
  }
}

/** @throws RangeError where `size` is not a whole number of pixels or `resizeShorter` is below 1 */
export function checkReadOptions(size: number, options?: ReadOptions): void {
  if (!Number.isInteger(size) || size < 1) throw new RangeError(`image size ${size} is not a positive whole number`);
  const ratio = options?.resizeShorter ?? 1;
  if (!(ratio >= 1 && Number.isFinite(ratio))) {
    throw new RangeError(`resizeShorter ${ratio} is below 1: the crop would be larger than the image`);
  }
}
