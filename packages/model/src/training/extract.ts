// The trunk's features of a whole source: each image runs through the trunk once, by whoever runs it.
import type { Group } from '../parallel/group.ts';
import { gatherRows, joinRows, shareOf, type LabelledRows } from '../parallel/shares.ts';
import type { TrunkRunner } from './trunk-runner.ts';
import type { Features, ImageSource } from './types.ts';

/** How features are extracted. */
export interface ExtractOptions {
  /** Images at a time. */
  readonly batchSize: number;
  /** Called with the number of images done, and of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stops the extraction; of a group, on all ranks. */
  readonly signal?: AbortSignal | undefined;
  /** Ranks that share the images by whole batches; each gets all features. Default: this process has them all. */
  readonly group?: Group | undefined;
}

/**
 * Keeps as many batches with the runner as it has work for. The order of images is the source's, whatever the order in which
 * batches are done. The runner stays the caller's. Ranks of a group give the bits of one process, unless images are unreadable:
 * then batches are filled up from the next of a rank's own.
 * @returns undefined when the signal stops it; features of the images that could be read otherwise
 * @throws OtherRankError where it failed on another rank
 */
export async function extractFeatures(
  runner: TrunkRunner,
  source: ImageSource,
  options: ExtractOptions,
): Promise<Features | undefined> {
  const { width } = runner;
  const order = shareOf(source.length, options.batchSize, options.group);
  const parts = await gatherRows(options.group, () => extractShare(runner, source, order, options));
  return parts && { ...joinRows(parts), width };
}

async function extractShare(
  runner: TrunkRunner,
  source: ImageSource,
  order: Int32Array,
  { batchSize, onProgress, signal }: ExtractOptions,
): Promise<LabelledRows | undefined> {
  const { width } = runner;
  const values = new Float32Array(order.length * width);
  const labels = new Int32Array(order.length);
  const pending: Promise<void>[] = [];
  let given = 0;
  let done = 0;
  const compute = async (images: Float32Array, size: number, at: number): Promise<void> => {
    const data = await runner.run(images, size);
    if (data.length !== size * width)
      throw new Error(`features: ${data.length} values came back for ${size} images of ${width} features each.`);
    values.set(data, at * width);
    done += size;
    // Ranks are told of alike: the share that this one has done, of all.
    onProgress?.(Math.round((done / order.length) * source.length), source.length);
  };
  if (order.length === 0) return { values, labels };
  try {
    await runner.prepare(batchSize, order.length);
    for await (const { images, labels: classes, size } of source.batches(order, batchSize)) {
      if (signal?.aborted) return undefined;
      labels.set(classes, given);
      const task = compute(images, size, given);
      // Awaited in its turn; until then a failure must not count as unhandled.
      task.catch(() => undefined);
      pending.push(task);
      given += size;
      while (pending.length >= runner.inFlight) await pending.shift();
    }
    await Promise.all(pending);
  } catch (error) {
    // A runner may drop what it is at when the signal stops it.
    if (signal?.aborted) return undefined;
    throw error;
  } finally {
    await Promise.allSettled(pending);
  }
  return { values: values.subarray(0, given * width), labels: labels.subarray(0, given) };
}

/** Batches of features in the given order. */
export function* featureBatches(
  { values, labels, width }: Features,
  order: Int32Array,
  batchSize: number,
): Generator<{
  /** [size, width] */
  values: Float32Array;
  /** [size] */
  labels: Int32Array;
  /** Rows. */
  size: number;
}> {
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
