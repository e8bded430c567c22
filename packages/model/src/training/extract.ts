// The frozen trunk's features of a whole source: each image runs through the trunk once.
import type * as tf from '@tensorflow/tfjs-core';
import type { Classifier } from './classifier.ts';
import { Inference } from './inference.ts';
import type { Features, ImageSource } from './types.ts';

export interface ExtractOptions {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @returns undefined when the signal stops it; features of the images that could be read otherwise */
export async function extractFeatures(
  classifier: Classifier,
  source: ImageSource,
  { imageSize, batchSize, onProgress, signal }: ExtractOptions,
): Promise<Features | undefined> {
  const width = classifier.head.inputs;
  const values = new Float32Array(source.length * width);
  const labels = new Int32Array(source.length);
  const order = Int32Array.from({ length: source.length }, (_, i) => i);
  let done = 0;
  // One batch is computed while the one before it is read back.
  let reading: Promise<void> = Promise.resolve();
  const inference = new Inference({ shape: [imageSize, imageSize, 3] }, (x) => classifier.features(x as tf.Tensor4D));
  try {
    await inference.prepare(batchSize, source.length);
    for await (const batch of source.batches(order, batchSize)) {
      if (signal?.aborted) {
        await reading;
        return undefined;
      }
      const features = inference.run({ values: batch.images }, batch.size);
      labels.set(batch.labels, done);
      const at = done;
      done += batch.size;
      const before = reading;
      reading = features.data<'float32'>().then(async (data) => {
        await before;
        values.set(data, at * width);
        features.dispose();
        onProgress?.(at + batch.size, source.length);
      });
      await before;
    }
    await reading;
  } finally {
    inference.dispose();
  }
  return { values: values.subarray(0, done * width), labels: labels.subarray(0, done), width };
}

/** Batches of features in the given order. */
export function* featureBatches(
  { values, labels, width }: Features,
  order: Int32Array,
  batchSize: number,
): Generator<{ values: Float32Array; labels: Int32Array; size: number }> {
  for (let start = 0; start < order.length; start += batchSize) {
    const rows = order.subarray(start, start + batchSize);
    const batch = new Float32Array(rows.length * width);
    const batchLabels = new Int32Array(rows.length);
    rows.forEach((row, i) => {
      batch.set(values.subarray(row * width, (row + 1) * width), i * width);
      batchLabels[i] = labels[row] ?? 0;
    });
    yield { values: batch, labels: batchLabels, size: rows.length };
  }
}
