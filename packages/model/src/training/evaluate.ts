// A classifier on a source: predictions, probabilities and the metrics of them.
import type * as tf from '@tensorflow/tfjs-core';
import { calibration, type Calibration } from '../metrics/calibration.ts';
import { accuracy, confusionMatrix, macroF1, perClass, type ClassMetrics } from '../metrics/metrics.ts';
import type { FeatureClassifier } from '../classical/types.ts';
import type { Group } from '../parallel/group.ts';
import { gatherRows, joinRows, shareOf, type LabelledRows } from '../parallel/shares.ts';
import type { Classifier } from './classifier.ts';
import { featureBatches } from './extract.ts';
import { imageBatches, imageFormat } from './batch-input.ts';
import { Inference, type OnSmallerBatch } from './inference.ts';
import { DivergedError } from './step.ts';
import type { Features, ImageSource } from './types.ts';

/** A head alone is little work: small batches would be all overhead. */
export const LEAST_FEATURE_BATCH = 512;

/** How well a classifier does on a source. */
export interface Evaluation {
  /** Class of each image that could be read, in the source's order. */
  readonly predictions: Int32Array;
  /** [images, classes] */
  readonly probabilities: Float32Array;
  /** True class of each image that could be read. */
  readonly labels: Int32Array;
  /** confusion[actual][predicted] */
  readonly confusion: number[][];
  /** Share predicted right. */
  readonly accuracy: number;
  /** Mean of F1 over the classes. */
  readonly macroF1: number;
  /** Mean cross-entropy, nats. */
  readonly loss: number;
  /** Of each class. */
  readonly perClass: ClassMetrics[];
  /** Confidence against accuracy. */
  readonly calibration: Calibration;
}

/** What an evaluation may have besides. */
export interface EvaluateOptions {
  /** The source's features, where the frozen trunk has given them already. */
  readonly features?: Features | undefined;
  /** Called with the number of images done, and of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told when there is no memory for a batch at a time, of how many images there is. */
  readonly onSmallerBatch?: OnSmallerBatch | undefined;
  /** Ranks that share the images by whole batches; each gets the evaluation of all. Default: this process has them all. */
  readonly group?: Group | undefined;
}

/**
 * Runs a classifier on all images of a source. Ranks of a group give the bits of one process, but for the batch that follows an
 * unreadable image.
 * @param imageSize height and width of the images, pixels
 * @param batchSize images at a time
 * @throws when the source has no image that can be read; OtherRankError where it failed on another rank
 */
export async function evaluateClassifier(
  classifier: Classifier,
  source: ImageSource,
  imageSize: number,
  batchSize: number,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { features, group } = options;
  const size = features ? Math.max(batchSize, LEAST_FEATURE_BATCH) : batchSize;
  const order = shareOf(features?.labels.length ?? source.length, size, group);
  const parts = await gatherRows(group, () => evaluateShare(classifier, source, imageSize, size, order, options));
  return summarise(parts, classifier.head.classes);
}

async function evaluateShare(
  classifier: Classifier,
  source: ImageSource,
  imageSize: number,
  size: number,
  order: Int32Array,
  { features, onProgress, onSmallerBatch }: EvaluateOptions,
): Promise<LabelledRows> {
  const rows = new Rows(order.length, source.length, onProgress);
  if (order.length === 0) return rows.all();
  const inference = features
    ? new Inference({ shape: [features.width] }, (x) => classifier.classify(x as tf.Tensor2D), onSmallerBatch)
    : new Inference(imageFormat(source, imageSize), (x) => classifier.probabilities(x as tf.Tensor4D), onSmallerBatch);
  try {
    await inference.prepare(size, order.length);
    if (features)
      for (const batch of featureBatches(features, order, size))
        rows.add({ values: Float32Array.from(await inference.values(batch, batch.size)), labels: batch.labels });
    else
      for await (const { images: values, labels, size: count, views } of imageBatches(source, order, size))
        rows.add({ values: Float32Array.from(await inference.values({ values, views }, count)), labels });
  } finally {
    inference.dispose();
  }
  return rows.all();
}

/** Runs a classifier of features on all of them. @throws when there are none; OtherRankError where it failed on another rank */
export async function evaluateFeatures(
  classifier: FeatureClassifier,
  features: Features,
  { onProgress, group }: Pick<EvaluateOptions, 'onProgress' | 'group'> = {},
): Promise<Evaluation> {
  const total = features.labels.length;
  if (total === 0) throw new Error('evaluate: there are no features.');
  const order = shareOf(total, LEAST_FEATURE_BATCH, group);
  const parts = await gatherRows(group, async () => {
    const rows = new Rows(order.length, total, onProgress);
    for (const { values, labels, size } of featureBatches(features, order, LEAST_FEATURE_BATCH))
      rows.add({ values: await classifier.probabilities(values, size), labels });
    return rows.all();
  });
  return summarise(parts, classifier.classes);
}

/** Gathers the rows of a share, and tells how much of all is done by how much of the share is. */
class Rows {
  readonly #parts: LabelledRows[] = [];
  #done = 0;

  constructor(
    private readonly share: number,
    private readonly total: number,
    private readonly onProgress: EvaluateOptions['onProgress'],
  ) {}

  add(part: LabelledRows): void {
    this.#parts.push(part);
    this.#done += part.labels.length;
    this.onProgress?.(Math.round((this.#done / this.share) * this.total), this.total);
  }

  all(): LabelledRows {
    return joinRows(this.#parts);
  }
}

function summarise(parts: readonly LabelledRows[] | undefined, classes: number): Evaluation {
  const { values: probabilities, labels } = joinRows(parts ?? []);
  if (labels.length === 0) throw new Error('evaluate: not one image could be read.');
  const wrong = probabilities.findIndex((probability) => !Number.isFinite(probability));
  if (wrong !== -1)
    throw new DivergedError(
      `The network's output for image ${Math.floor(wrong / classes)} is ${probabilities[wrong]}: its weights have diverged; ` +
        'train with a smaller learning rate.',
    );
  let loss = 0;
  const predictions = Int32Array.from(labels, (label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    // The smallest float32 keeps a probability that underflowed from being infinitely wrong.
    loss -= Math.log(Math.max(row[label] ?? 0, 2 ** -126)) / labels.length;
    return row.reduce((best, value, c) => (value > (row[best] ?? 0) ? c : best), 0);
  });
  const confusion = confusionMatrix(labels, predictions, classes);
  const confidences = Float32Array.from(predictions, (predicted, i) => probabilities[i * classes + predicted] ?? 0);
  const hits = Array.from(predictions, (predicted, i) => predicted === labels[i]);
  return {
    predictions,
    probabilities,
    labels,
    confusion,
    accuracy: accuracy(confusion),
    macroF1: macroF1(confusion),
    loss,
    perClass: perClass(confusion),
    calibration: calibration(confidences, hits),
  };
}
