// A part of a data set as @thaw/model trains on it: images by position, preprocessed for the network's variant.
import { allIndices, batches, type ImageDataset, type Preprocessing, type SkippedImage } from '@thaw/data';
import type { ImageBatch, ImageSource } from '@thaw/model';

export interface SourceOptions {
  readonly imageSize: number;
  readonly preprocessing: Preprocessing;
  /** Shorter side over crop: 256 / 224 for ImageNet; default 1. */
  readonly resizeShorter?: number | undefined;
  readonly strict?: boolean | undefined;
  /** Each unreadable image once. */
  readonly onSkip?: ((skipped: SkippedImage) => void) | undefined;
}

export class DataSource implements ImageSource {
  readonly labels: Int32Array;
  /** Which image of the data set each position is. */
  readonly indices: Int32Array;
  readonly dataset: ImageDataset;
  readonly #options: SourceOptions;
  #read: Int32Array[] = [];

  constructor(dataset: ImageDataset, indices: Int32Array | undefined, options: SourceOptions) {
    this.dataset = dataset;
    this.indices = indices ?? allIndices(dataset.length);
    this.labels = Int32Array.from(this.indices, (index) => dataset.labels[index] ?? -1);
    this.#options = options;
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

  async *batches(positions: Int32Array, batchSize: number): AsyncGenerator<ImageBatch, void, undefined> {
    this.#read = [];
    const indices = Int32Array.from(positions, (position) => this.indices[position] ?? -1);
    for await (const batch of batches(this.dataset, { ...this.#options, indices, batchSize })) {
      this.#read.push(batch.indices);
      yield batch;
    }
  }
}
