// Batches on their way to the device: what they look like on the host, the place that they are written to one after the
// other, and what a step reads of them.
import { assignValues, imageViews, packViews, VIEW_LENGTH, type ImageView, type Normalisation } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { ImageBatch, ImageSource, PassOptions } from './types.ts';

/** What a batch looks like on the host. */
export interface InputFormat {
  /** Of one image or feature vector on the host. */
  readonly shape: readonly number[];
  /** Images that the device looks at through views: `side` is that of what the network sees. */
  readonly views?:
    | {
        /** Pixels. */
        readonly side: number;
        /** From RGB to the network's input. */
        readonly normalisation: Normalisation;
      }
    | undefined;
}

/** A batch on the host. */
export interface InputBatch {
  /** [size, ...shape] */
  readonly values: Float32Array;
  /** One of each image, where the format has views; a batch that does not count may have none. */
  readonly views?: readonly ImageView[] | undefined;
}

/** A batch to learn from, on the host. */
export interface TrainingBatch extends InputBatch {
  /** [size] */
  readonly labels: Int32Array;
  /** Number of images. */
  readonly size: number;
  /** Images of CORAL's target, as many in each step. */
  readonly target?: InputBatch | undefined;
}

/** How CORAL's target looks on the host. */
export interface TargetFormat {
  /** Of its images. */
  readonly format: InputFormat;
  /** Images in a step. */
  readonly size: number;
}

/** How a source's batches look. @param imageSize side of what the network sees */
export function imageFormat({ pixels }: ImageSource, imageSize: number): InputFormat {
  if (!pixels) return { shape: [imageSize, imageSize, 3] };
  const { height, width, normalisation } = pixels;
  return { shape: [height, width, 3], views: { side: imageSize, normalisation } };
}

/** The batches of a source, for the device to prepare where it offers that. @param epoch as PixelSource has it */
export function imageBatches(
  source: ImageSource,
  indices: Int32Array,
  batchSize: number,
  epoch?: number,
  options?: PassOptions,
): AsyncIterable<ImageBatch & { views?: readonly ImageView[] }> {
  return source.pixels?.batches(indices, batchSize, epoch, options) ?? source.batches(indices, batchSize, options);
}

/** A batch as the network reads it. @returns a new tensor, the caller's to dispose */
export function inputTensor(
  { values, views }: InputBatch,
  { shape, views: look }: InputFormat,
  size: number,
): tf.Tensor {
  return tf.tidy(() => {
    const x = tf.tensor(values, [size, ...shape]);
    if (!look) return x;
    const rows = tf.tensor2d(rowsOf(views, size), [size, VIEW_LENGTH]);
    return imageViews(x as tf.Tensor4D, rows, look.side, look.normalisation);
  });
}

/** A place on the device for batches of one size, which a captured step reads. */
export class BatchInput {
  readonly #values: tf.Variable;
  readonly #views: tf.Variable | undefined;
  readonly #format: InputFormat;
  readonly #size: number;

  constructor(size: number, format: InputFormat) {
    this.#size = size;
    this.#format = format;
    this.#values = zeros([size, ...format.shape]);
    this.#views = format.views && zeros([size, VIEW_LENGTH]);
  }

  set({ values, views }: InputBatch): void {
    assignValues(this.#values, values);
    if (this.#views) assignValues(this.#views, rowsOf(views, this.#size));
  }

  /** What the network reads of the batch, inside the step: its place, or a new tensor of views of it. */
  read(): tf.Tensor {
    const { views } = this.#format;
    if (!views || !this.#views) return this.#values;
    return imageViews(this.#values as tf.Tensor4D, this.#views as tf.Tensor2D, views.side, views.normalisation);
  }

  dispose(): void {
    tf.dispose([this.#values, this.#views].flatMap((variable) => variable ?? []));
  }
}

/** Of a batch that stands in for images, which has no views, rows of zeros. */
const rowsOf = (views: readonly ImageView[] | undefined, size: number): Float32Array =>
  views ? packViews(views) : new Float32Array(size * VIEW_LENGTH);

function zeros(shape: number[]): tf.Variable {
  const initial = tf.zeros(shape);
  const variable = tf.variable(initial, false);
  initial.dispose();
  return variable;
}
