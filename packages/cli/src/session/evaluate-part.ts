// A classifier on a part of a data set, over the features of its frozen trunk where there are some.
import { evaluateClassifier, extractFeatures, type Classifier, type Evaluation, type Features, type FeatureStore, type OnSmallerBatch, type TrunkRunner } from '@thaw/model'; // prettier-ignore
import type { DataSource } from './source.ts';

export interface EvaluatePartOptions {
  readonly imageSize: number;
  readonly batchSize: number;
  /** Runs the trunk where its features are not kept; without it the whole network runs on the backend. */
  readonly runner: (() => TrunkRunner) | undefined;
  /** Kept features, for a trunk that is frozen to its end. */
  readonly store: FeatureStore | undefined;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  readonly onSmallerBatch?: OnSmallerBatch;
}

/** Evaluates, over kept features where there are some; `indices` are the images that could be read. Undefined when stopped. */
export async function evaluatePart(
  classifier: Classifier,
  source: DataSource,
  options: EvaluatePartOptions,
): Promise<{ evaluation: Evaluation; indices: Int32Array } | undefined> {
  const { imageSize, batchSize, runner, onProgress, onSmallerBatch } = options;
  const features = await partFeatures(source, classifier.head.inputs, options);
  if (!features && runner) return undefined;
  const evaluation = await evaluateClassifier(classifier, source, imageSize, batchSize, {
    features,
    onProgress: features ? undefined : onProgress,
    onSmallerBatch,
  });
  const whole = evaluation.labels.length === source.length;
  return { evaluation, indices: whole ? source.indices : source.lastRead };
}

/** Features of a part: kept ones, or the runner's, which are kept. Undefined when stopped, or without either. */
export async function partFeatures(
  source: DataSource,
  width: number,
  options: Omit<EvaluatePartOptions, 'imageSize'>,
): Promise<Features | undefined> {
  const { runner, store, key } = options;
  const kept = await store?.load(key);
  if (kept?.labels.length === source.length && kept.width === width) return kept;
  if (!runner) return undefined;
  const features = await computeFeatures(source, runner, options);
  if (features) await store?.save(key, features);
  return features;
}

async function computeFeatures(
  source: DataSource,
  open: () => TrunkRunner,
  { batchSize, signal, onProgress }: Omit<EvaluatePartOptions, 'imageSize'>,
): Promise<Features | undefined> {
  const runner = open();
  try {
    return await extractFeatures(runner, source, { batchSize, signal, onProgress });
  } finally {
    runner.dispose();
  }
}
