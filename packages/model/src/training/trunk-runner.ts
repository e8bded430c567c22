// Who runs a trunk, in inference, on batches of images: the current backend here, or whatever a program puts in its place.
import type * as tf from '@tensorflow/tfjs-core';
import { poolMap, type Pooling, type ResNet50 } from '../network/index.ts';
import type { Classifier } from './classifier.ts';
import { Inference, type OnSmallerBatch } from './inference.ts';

/** Runs a trunk, in inference, on batches of images. */
export interface TrunkRunner {
  /** Length of an image's feature vector. */
  readonly width: number;
  /** Batches that it has work for at a time; may change from one batch to the next. */
  readonly inFlight: number;
  /** Told once how many images will come, in batches of which size, before the first of them. */
  prepare(batchSize: number, images: number): Promise<void>;
  /**
   * @param images [size, height, width, 3], preprocessed as the trunk's variant says; the runner's from now on
   * @returns [size, width]
   */
  run(images: Float32Array, size: number): Promise<Float32Array>;
  /** Called when nothing is in flight and nothing more will come. */
  dispose(): void;
}

/** Which features: of what trunk, from its last map how, of images how large. */
export interface TrunkFeatures {
  /** The trunk. */
  readonly network: ResNet50;
  /** How its last map becomes a vector. */
  readonly pooling: Pooling;
  /** Length of a feature vector. */
  readonly width: number;
  /** Height and width of the images. */
  readonly imageSize: number;
}

/** What the head of a classifier reads. */
export const headFeatures = ({ network, head, pooling }: Classifier, imageSize: number): TrunkFeatures => ({
  network,
  pooling,
  width: head.inputs,
  imageSize,
});

/** Runs a trunk on the current backend, captured and replayed where that can be. */
export class BackendRunner implements TrunkRunner {
  readonly width: number;
  /** One batch is computed while the one before it is read back. */
  readonly inFlight = 2;
  readonly #inference: Inference;

  /** @param onSmaller told when there is no memory for a batch at a time, of how many images there is */
  constructor({ network, pooling, width, imageSize }: TrunkFeatures, onSmaller?: OnSmallerBatch) {
    this.width = width;
    const shape = [imageSize, imageSize, 3];
    this.#inference = new Inference({ shape }, (x) => poolMap(network.trunk(x as tf.Tensor4D), pooling), onSmaller);
  }

  prepare(batchSize: number, images: number): Promise<void> {
    return this.#inference.prepare(batchSize, images);
  }

  run(images: Float32Array, size: number): Promise<Float32Array> {
    return this.#inference.values({ values: images }, size);
  }

  dispose(): void {
    this.#inference.dispose();
  }
}
