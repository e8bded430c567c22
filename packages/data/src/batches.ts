// Batches of preprocessed images, made ahead of the consumer.
//
// Decoding runs in the threads of the image library (libuv's pool under sharp); `workers` bounds how many images are
// being decoded at once, `prefetch` how many finished batches wait. The order of images never depends on either.

import type { ImageDataset, ImagePass, ReadOptions } from './dataset.ts';
import { CorruptImageError, DataError } from './errors.ts';
import { preprocess, type Preprocessing } from './preprocess.ts';

/** `size` images: `images` is [size, imageSize, imageSize, 3], preprocessed. */
export interface Batch {
  /** [size, imageSize, imageSize, 3], preprocessed. */
  readonly images: Float32Array;
  /** [size], an index into the data set's classes. */
  readonly labels: Int32Array;
  /** Which image of the data set each one is. */
  readonly indices: Int32Array;
  /** Number of images; the last batch may have fewer. */
  readonly size: number;
  /** How many of the pass's indices are behind with this batch, those of unreadable images before its last one included. */
  readonly taken: number;
}

/** An image that could not be read. `path` is the data set's description of it. */
export interface SkippedImage {
  /** Which image of the data set. */
  readonly index: number;
  /** Where it comes from, as the data set describes it. */
  readonly path: string;
  /** Why it could not be read. */
  readonly reason: string;
}

/** Which images, how large, how prepared. */
export interface BatchOptions extends ReadOptions {
  /** Which images, in which order. */
  readonly indices: Int32Array;
  /** Images in a batch, at least 1. */
  readonly batchSize: number;
  /** Side of the square images, in pixels. */
  readonly imageSize: number;
  /** How bytes become the network's input. */
  readonly preprocessing: Preprocessing;
  /** Leaves out a last batch of fewer than `batchSize` images. Default false. */
  readonly dropLast?: boolean | undefined;
  /** Batches made ahead of the consumer; default 2, 0 makes them on demand. */
  readonly prefetch?: number | undefined;
  /** Images decoded at the same time, at most; default 8, which keeps libuv's four threads busy. */
  readonly workers?: number | undefined;
  /** Fails at the first image that cannot be read, with its CorruptImageError. Default: skip it, fill up from the next. */
  readonly strict?: boolean | undefined;
  /**
   * Whether an image that cannot be read is made up for by the next. False cuts batches at multiples of `batchSize` of the
   * indices, whatever of these could be read, which may be nothing. Default true.
   */
  readonly fill?: boolean | undefined;
  /** Told of each image that could not be read, once. */
  readonly onSkip?: ((skipped: SkippedImage) => void) | undefined;
  /** The images are a part of those of the pass: that every one of them is unreadable is no error. Default false. */
  readonly isPart?: boolean | undefined;
  /** Ends the pass. */
  readonly signal?: AbortSignal | undefined;
}

/** One pass over the images for each `for await`. */
export interface BatchStream extends AsyncIterable<Batch> {
  /** The images that could not be read so far, each once, whatever the number of passes. */
  readonly skipped: readonly SkippedImage[];
}

/**
 * The images of `indices` in batches. All but the last are full, even where images were skipped.
 * @throws DataError for options that make no sense; while iterating, where every image was unreadable
 */
export function batches(dataset: ImageDataset, options: BatchOptions): BatchStream {
  checkOptions(dataset, options);
  const skipped = new Map<number, SkippedImage>();
  const onSkip = (image: SkippedImage) => {
    if (skipped.has(image.index)) return;
    skipped.set(image.index, image);
    options.onSkip?.(image);
  };
  return {
    get skipped() {
      return [...skipped.values()];
    },
    [Symbol.asyncIterator]: () => {
      const stop = { now: false };
      return readAhead(assemble(dataset, options, onSkip, stop), options.prefetch ?? 2, stop);
    },
  };
}

type Outcome =
  { readonly index: number; readonly rgb: Uint8Array } | { readonly index: number; readonly error: unknown };

async function* assemble(
  dataset: ImageDataset,
  options: BatchOptions,
  onSkip: (image: SkippedImage) => void,
  stop: { readonly now: boolean },
): AsyncGenerator<Batch, void, undefined> {
  const pass = dataset.readAhead?.(options.indices);
  try {
    yield* filled(dataset, pass, options, onSkip, stop);
  } finally {
    pass?.close();
  }
}

/** Decodes `workers` images ahead, in order, and fills batches with those that could be read. */
async function* filled(
  dataset: ImageDataset,
  pass: ImagePass | undefined,
  options: BatchOptions,
  onSkip: (image: SkippedImage) => void,
  stop: { readonly now: boolean },
): AsyncGenerator<Batch, void, undefined> {
  const { indices, batchSize, imageSize, preprocessing, fill = true } = options;
  const values = imageSize * imageSize * 3;
  // An error becomes a value here, so that no promise waiting in the window can be an unhandled rejection.
  const decode = (position: number): Promise<Outcome> => {
    const index = indices[position] ?? 0;
    const image = pass ? pass.readImage(position, imageSize, options) : dataset.readImage(index, imageSize, options);
    return image.then(
      (rgb) => ({ index, rgb }),
      (error: unknown) => ({ index, error }),
    );
  };
  const window: Promise<Outcome>[] = [];
  let next = 0;
  let taken = 0;
  let read = 0;
  let batch: ReturnType<typeof emptyBatch> | undefined;
  for (;;) {
    while (window.length < (options.workers ?? 8) && next < indices.length) window.push(decode(next++));
    const head = window.shift();
    if (!head || stop.now) break;
    const outcome = await head;
    taken++;
    const ends = !fill && (taken % batchSize === 0 || taken === indices.length);
    options.signal?.throwIfAborted();
    if ('error' in outcome) {
      if (options.strict || !(outcome.error instanceof CorruptImageError)) throw outcome.error;
      onSkip({ index: outcome.index, path: outcome.error.path, reason: outcome.error.reason });
      if (!ends) continue;
      batch ??= emptyBatch(0, values);
      batch.taken = taken;
      yield truncated(batch, values);
      batch = undefined;
      continue;
    }
    batch ??= emptyBatch(Math.min(batchSize, indices.length - (fill ? read : taken - 1)), values);
    preprocess(outcome.rgb, preprocessing, batch.images, batch.size * values);
    batch.labels[batch.size] = dataset.labels[outcome.index] ?? -1;
    batch.indices[batch.size] = outcome.index;
    batch.size++;
    batch.taken = taken;
    read++;
    if (batch.size === batchSize || ends) {
      yield truncated(batch, values);
      batch = undefined;
    }
  }
  if (stop.now) return;
  if (fill && read === 0 && indices.length > 0 && !options.isPart) {
    throw new DataError(`${dataset.name}: none of ${indices.length} images could be read`);
  }
  if (batch && !options.dropLast) yield truncated(batch, values);
}

function emptyBatch(capacity: number, values: number) {
  return {
    images: new Float32Array(capacity * values),
    labels: new Int32Array(capacity),
    indices: new Int32Array(capacity),
    size: 0,
    taken: 0,
  };
}

/** Arrays exactly as long as the batch, where images were skipped near the end. */
function truncated(batch: Batch, values: number): Batch {
  const { size, taken } = batch;
  if (batch.labels.length === size) return batch;
  return {
    images: batch.images.slice(0, size * values),
    labels: batch.labels.slice(0, size),
    indices: batch.indices.slice(0, size),
    size,
    taken,
  };
}

/** Runs `source` up to `depth` values ahead: an async generator works off queued `next()` calls by itself. */
async function* readAhead<T>(
  source: AsyncGenerator<T, void, undefined>,
  depth: number,
  stop: { now: boolean },
): AsyncGenerator<T, void, undefined> {
  const queue: Promise<IteratorResult<T, void>>[] = [];
  try {
    for (;;) {
      while (queue.length <= depth) {
        const promise = source.next();
        promise.catch(() => undefined); // reported when its turn comes, or dropped with the iterator
        queue.push(promise);
      }
      const result = await queue.shift();
      if (!result || result.done) return;
      yield result.value;
    }
  } finally {
    stop.now = true;
    await Promise.allSettled([...queue, source.return()]);
  }
}

function checkOptions(dataset: ImageDataset, options: BatchOptions): void {
  const atLeast = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least) {
      throw new DataError(`${name} ${value} is not a whole number of at least ${least}`);
    }
  };
  atLeast('batch size', options.batchSize, 1);
  atLeast('image size', options.imageSize, 1);
  atLeast('prefetch', options.prefetch ?? 2, 0);
  atLeast('workers', options.workers ?? 8, 1);
  preprocess(new Uint8Array(0), options.preprocessing, new Float32Array(0), 0);
  const wrong = options.indices.find((index) => index < 0 || index >= dataset.length);
  if (wrong !== undefined) {
    throw new DataError(`${dataset.name}: no image ${wrong}; it has ${dataset.length}, counted from 0`);
  }
}
