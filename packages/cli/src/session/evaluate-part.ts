// A classifier on a part of a data set, over the features of its frozen trunk where there are some.
import { evaluateClassifier, extractFeatures, type Classifier, type Evaluation, type Features, type FeatureStore, type OnSmallerBatch, type TrunkRunner } from '@thaw/model'; // prettier-ignore
import { ALONE, type Ranks } from '../ranks/ranks.ts';
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
  /** Those that share the images; default this process alone. */
  readonly ranks?: Ranks | undefined;
}

/** Evaluates, over kept features where there are some; `indices` are the images that could be read. Undefined when stopped. */
export async function evaluatePart(
  classifier: Classifier,
  source: DataSource,
  options: EvaluatePartOptions,
): Promise<{ evaluation: Evaluation; indices: Int32Array } | undefined> {
  const { imageSize, batchSize, runner, onProgress, onSmallerBatch, ranks = ALONE } = options;
  const features = await partFeatures(source, classifier.head.inputs, options);
  if (!features && runner) return undefined;
  const evaluation = await evaluateClassifier(classifier, source, imageSize, batchSize, {
    features,
    onProgress: features ? undefined : onProgress,
    onSmallerBatch,
    group: ranks.group,
  });
  return { evaluation, indices: await readIndices(source, evaluation, ranks) };
}

/** Images of the data set behind an evaluation: all but the unreadable ones, those of every rank. */
export async function readIndices(source: DataSource, { labels }: Evaluation, ranks = ALONE): Promise<Int32Array> {
  if (labels.length === source.length) return source.indices;
  return Int32Array.from((await ranks.gather([...source.lastRead])).flat());
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
  { batchSize, signal, onProgress, ranks }: Omit<EvaluatePartOptions, 'imageSize'>,
): Promise<Features | undefined> {
  const runner = open();
  try {
    return await extractFeatures(runner, source, { batchSize, signal, onProgress, group: ranks?.group });
  } finally {
    runner.dispose();
  }
}
