// Classifies image files: the trunk's features of all of them, then a run's head, or the ImageNet classifier, on these.
import type { ImageDataset } from '@thaw/data';
import { extractFeatures, featureBatches, Inference, LEAST_FEATURE_BATCH, type TrunkRunner } from '@thaw/model';
import type * as tf from '@tensorflow/tfjs-core';
import { DataSource, type SourceOptions } from './source.ts';

export interface Ranked {
  readonly index: number;
  readonly probability: number;
}

export interface PredictModel {
  readonly trunk: TrunkRunner;
  /** Features [batch, width] to probabilities [batch, classes]. */
  readonly classify: (features: tf.Tensor2D) => tf.Tensor2D;
}

export interface PredictOptions extends SourceOptions {
  readonly batchSize: number;
  readonly topK: number;
  readonly onProgress?: (done: number) => void;
}

/** The `topK` likeliest classes of each readable image, by its index in the data set. */
export async function predictImages(
  dataset: ImageDataset,
  { trunk, classify }: PredictModel,
  { batchSize, topK, onProgress, ...options }: PredictOptions,
): Promise<Map<number, Ranked[]>> {
  const source = new DataSource(dataset, undefined, options);
  const features = await extractFeatures(trunk, source, { batchSize, onProgress });
  const ranked = new Map<number, Ranked[]>();
  if (!features) return ranked;
  const { lastRead } = source;
  const order = Int32Array.from(lastRead, (_, i) => i);
  const inference = new Inference({ shape: [features.width] }, (x) => classify(x as tf.Tensor2D));
  for (const { values, size } of featureBatches(features, order, LEAST_FEATURE_BATCH)) {
    const result = inference.run({ values }, size);
    const probabilities = await result.data<'float32'>();
    result.dispose();
    const classes = probabilities.length / size;
    for (let i = 0; i < size; i++)
      ranked.set(lastRead[ranked.size] ?? -1, best(probabilities.subarray(i * classes, (i + 1) * classes), topK));
  }
  return ranked;
}

/** The `count` likeliest classes, the likeliest first. */
export function best(row: Float32Array, count: number): Ranked[] {
  return Array.from(row, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count);
}
