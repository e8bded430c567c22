// A part of a data set as @thaw/model trains on it: images by position, preprocessed for the network's variant, or as pixels
// and views for the device to prepare.
import {
  allIndices,
  augmentedView,
  batches,
  normalisationOf,
  plainView,
  retoneImage,
  type Augmentation,
  type Batch,
  type ImageDataset,
  type Preprocessing,
  type SkippedImage,
  type View,
} from '@thaw/data';
import type { ImageBatch, ImageSource, PassOptions, PixelBatch, PixelSource } from '@thaw/model';

export interface SourceOptions {
  readonly imageSize: number;
  readonly preprocessing: Preprocessing;
  /** Shorter side over crop: 256 / 224 for ImageNet; default 1. */
  readonly resizeShorter?: number | undefined;
  readonly strict?: boolean | undefined;
  /** Each unreadable image once. */
  readonly onSkip?: ((skipped: SkippedImage) => void) | undefined;
  /** Default none. */
  readonly augmentations?: readonly Augmentation[] | undefined;
  /** Of the augmentations; default 0. */
  readonly seed?: number | undefined;
}

export class DataSource implements ImageSource {
  readonly labels: Int32Array;
  /** Which image of the data set each position is. */
  readonly indices: Int32Array;
  readonly dataset: ImageDataset;
  /** Where images are augmented, or smaller than what the network sees. */
  readonly pixels: PixelSource | undefined;
  readonly #options: SourceOptions;
  #read: Int32Array[] = [];

  constructor(dataset: ImageDataset, indices: Int32Array | undefined, options: SourceOptions) {
    this.dataset = dataset;
    this.indices = indices ?? allIndices(dataset.length);
    this.labels = Int32Array.from(this.indices, (index) => dataset.labels[index] ?? -1);
    this.#options = options;
    const { augmentations = [], imageSize, preprocessing } = options;
    const side = storedSide(dataset, imageSize);
    const isAugmented = augmentations.length > 0;
    if (side === imageSize && !isAugmented) return;
    this.pixels = {
      height: side,
      width: side,
      normalisation: normalisationOf(preprocessing),
      isAugmented,
      batches: (positions, batchSize, epoch, pass) => this.#pixelBatches(positions, batchSize, side, epoch, pass),
    };
  }

  get length(): number {
    return this.indices.length;
  }

  /** Images of the data set that the last pass gave, in its order: all but the unreadable ones. */
  get lastRead(): Int32Array {
    const all = new Int32Array(this.#read.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#read) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  order(seed: number, epoch: number): Int32Array | undefined {
    return this.dataset.order?.(this.indices, seed, epoch);
  }

  batches(positions: Int32Array, batchSize: number, pass?: PassOptions): AsyncIterable<ImageBatch> {
    const { imageSize, preprocessing } = this.#options;
    return this.#pass(positions, batchSize, imageSize, preprocessing, pass);
  }

  async *#pixelBatches(
    positions: Int32Array,
    batchSize: number,
    side: number,
    epoch: number | undefined,
    pass: PassOptions | undefined,
  ): AsyncGenerator<PixelBatch, void, undefined> {
    for await (const batch of this.#pass(positions, batchSize, side, 'none', pass)) {
      const values = side * side * 3;
      const views = Array.from(batch.indices, (index, i) =>
        this.#view(index, batch.images.subarray(i * values, (i + 1) * values), side, epoch),
      );
      yield { ...batch, views };
    }
  }

  /** @param rgb changed where the augmentations say so */
  #view(index: number, rgb: Float32Array, side: number, epoch: number | undefined): View {
    const { augmentations = [], seed = 0, imageSize } = this.#options;
    if (epoch === undefined || augmentations.length === 0) return plainView(side, side);
    const request = { augmentations, seed, epoch, index, height: side, width: side, side: imageSize, rgb };
    retoneImage(request);
    return augmentedView(request);
  }

  async *#pass(
    positions: Int32Array,
    batchSize: number,
    imageSize: number,
    preprocessing: Preprocessing,
    pass: PassOptions | undefined,
  ): AsyncGenerator<Batch, void, undefined> {
    this.#read = [];
    const { strict, onSkip } = this.#options;
    const indices = Int32Array.from(positions, (position) => this.indices[position] ?? -1);
    const isPart = positions.length < this.length;
    const options = { strict, onSkip, indices, batchSize, imageSize, preprocessing, isPart, ...pass };
    for await (const batch of batches(this.dataset, options)) {
      this.#read.push(batch.indices);
      yield batch;
    }
  }
}

/** Side at which images are uploaded: as they are stored, where they are square and no larger than what the network sees. */
function storedSide({ imageSize: stored }: ImageDataset, imageSize: number): number {
  return stored && stored.height === stored.width && stored.width <= imageSize ? stored.width : imageSize;
}
