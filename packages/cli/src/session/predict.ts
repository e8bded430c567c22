// Classifies image files: the trunk's features of all of them, then a run's head, or the ImageNet classifier, on these.
import type { ImageDataset } from '@thaw/data';
import {
  extractFeatures,
  featureBatches,
  LEAST_FEATURE_BATCH,
  type FeatureClassifier,
  type TrunkRunner,
} from '@thaw/model';
import { DataSource, type SourceOptions } from './source.ts';

export interface Ranked {
  readonly index: number;
  readonly probability: number;
}

export interface PredictModel {
  readonly trunk: TrunkRunner;
  readonly scorer: FeatureClassifier;
}

export interface PredictOptions extends SourceOptions {
  readonly batchSize: number;
  readonly topK: number;
  readonly onProgress?: (done: number) => void;
}

/** The `topK` likeliest classes of each readable image, by its index in the data set. */
export async function predictImages(
  dataset: ImageDataset,
  { trunk, scorer }: PredictModel,
  { batchSize, topK, onProgress, ...options }: PredictOptions,
): Promise<Map<number, Ranked[]>> {
  const source = new DataSource(dataset, undefined, options);
  const features = await extractFeatures(trunk, source, { batchSize, onProgress });
  const ranked = new Map<number, Ranked[]>();
  if (!features) return ranked;
  const { lastRead } = source;
  const order = Int32Array.from(lastRead, (_, i) => i);
  for (const { values, size } of featureBatches(features, order, LEAST_FEATURE_BATCH)) {
    const probabilities = await scorer.probabilities(values, size);
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
