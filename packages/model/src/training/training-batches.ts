// The batches of an epoch, from kept features or from images.
import { imageBatches, type TrainingBatch } from './batch-input.ts';
import { featureBatches } from './extract.ts';
import type { Features, ImageSource, PassOptions } from './types.ts';

/** A batch, and how many of the order are behind with it. */
export type OrderedBatch = TrainingBatch & { readonly taken?: number | undefined };

/** @param order what is left of the epoch's; @param epoch whose views images are seen through, from 1 */
export async function* trainingBatches(
  train: ImageSource,
  features: Features | undefined,
  order: Int32Array,
  batchSize: number,
  epoch: number,
  options?: PassOptions,
): AsyncGenerator<OrderedBatch, undefined> {
  if (features) yield* featureBatches(features, order, batchSize);
  else
    for await (const batch of imageBatches(train, order, batchSize, epoch, options)) {
      const { images: values, views, labels, size, taken } = batch;
      yield { values, views, labels, size, taken };
    }
  return undefined;
}
