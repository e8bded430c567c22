// Classifies image files in batches: with a run's head, or with the ImageNet classifier.
import { batches, type ImageDataset, type Preprocessing, type SkippedImage } from '@thaw/data';
import * as tf from '@tensorflow/tfjs-core';

export interface Ranked {
  readonly index: number;
  readonly probability: number;
}

export interface PredictOptions {
  readonly imageSize: number;
  readonly preprocessing: Preprocessing;
  readonly batchSize: number;
  readonly topK: number;
  /** Shorter side over crop: 256 / 224 for ImageNet. */
  readonly resizeShorter: number;
  readonly strict: boolean;
  readonly onSkip: (skipped: SkippedImage) => void;
  readonly onProgress?: (done: number) => void;
  readonly signal: AbortSignal;
}

/** The `topK` likeliest classes of each readable image, by its index in the data set. @param model images to probabilities */
export async function predictImages(
  dataset: ImageDataset,
  model: (images: tf.Tensor4D) => tf.Tensor2D,
  options: PredictOptions,
): Promise<Map<number, Ranked[]>> {
  const { imageSize, topK, onProgress } = options;
  const indices = Int32Array.from({ length: dataset.length }, (_, i) => i);
  const ranked = new Map<number, Ranked[]>();
  for await (const batch of batches(dataset, { ...options, indices })) {
    const probabilities = tf.tidy(() => model(tf.tensor4d(batch.images, [batch.size, imageSize, imageSize, 3])));
    const values = await probabilities.data<'float32'>();
    const [, classes] = probabilities.shape;
    probabilities.dispose();
    for (let i = 0; i < batch.size; i++)
      ranked.set(batch.indices[i] ?? -1, best(values.subarray(i * classes, (i + 1) * classes), topK));
    onProgress?.(ranked.size);
  }
  return ranked;
}

function best(row: Float32Array, count: number): Ranked[] {
  return Array.from(row, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count);
}
