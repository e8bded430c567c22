// Names what is on images as they come: batches through the trunk, then a run's head, or the ImageNet classifier, on the features.
import type { NamedBatch } from '@thaw/data/node';
import type { FeatureClassifier, TrunkRunner } from '@thaw/model';

export interface Ranked {
  readonly index: number;
  readonly probability: number;
}

/** What an image was taken for. */
export interface Prediction {
  readonly file: string;
  /** The likeliest first. */
  readonly classes: readonly Ranked[];
}

export interface PredictModel {
  readonly trunk: TrunkRunner;
  readonly scorer: FeatureClassifier;
}

export interface PredictOptions {
  readonly batchSize: number;
  /** Images to come, as far as that is known: what runs the trunk is chosen by it. */
  readonly images: number;
  /** Classes of each image. */
  readonly topK: number;
}

/** Predictions in the order of the images; the first come while later images are still to be read. */
export async function* predictions(
  batches: AsyncIterable<NamedBatch>,
  { trunk, scorer }: PredictModel,
  { batchSize, images, topK }: PredictOptions,
): AsyncGenerator<Prediction, void, undefined> {
  await trunk.prepare(batchSize, images);
  const pending: Promise<Prediction[]>[] = [];
  const predict = async ({ names, images: values }: NamedBatch): Promise<Prediction[]> => {
    const probabilities = await scorer.probabilities(await trunk.run(values, names.length), names.length);
    const classes = probabilities.length / names.length;
    return names.map((file, i) => ({
      file,
      classes: best(probabilities.subarray(i * classes, (i + 1) * classes), topK),
    }));
  };
  const source: AsyncIterator<NamedBatch, unknown> = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = source.next();
      next.catch(() => undefined);
      for (let [first] = pending; first; [first] = pending) {
        // Images may be long in coming; answers do not wait for them.
        const mayGiveMore = pending.length < trunk.inFlight;
        const isNext = mayGiveMore && Promise.race([next.then(() => true, () => false), first.then(() => false)]); // prettier-ignore
        if (await isNext) break;
        yield* await first;
        void pending.shift();
      }
      const result = await next;
      if (result.done === true) break;
      const task = predict(result.value);
      // Awaited in its turn; until then a failure must not count as unhandled.
      task.catch(() => undefined);
      pending.push(task);
    }
    for (const rest of pending) yield* await rest;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** The `count` likeliest classes, the likeliest first. */
export function best(row: Float32Array, count: number): Ranked[] {
  return Array.from(row, (probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count);
}
