// Batches of images that come one by one, decoded ahead of their turn; only as many as are being worked on are in memory.
import { CorruptImageError } from '../errors.ts';
import { preprocess, type Preprocessing } from '../preprocess.ts';
import type { ReadOptions } from '../dataset.ts';
import { decodeImage } from './decode.ts';
import type { NamedImage } from './inputs.ts';

/** How images are prepared. */
export interface ImageStreamOptions extends ReadOptions {
  /** Images in a batch, at least 1. */
  readonly batchSize: number;
  /** Side of the square images, in pixels. */
  readonly imageSize: number;
  /** How bytes become the network's input. */
  readonly preprocessing: Preprocessing;
  /** Images read at the same time, at most; default 8. */
  readonly workers?: number | undefined;
  /** Fails at the first image that cannot be read. Default: skip it. */
  readonly strict?: boolean | undefined;
  /** Told of each image that could not be read. */
  readonly onSkip?: ((skipped: { readonly path: string; readonly reason: string }) => void) | undefined;
}

/** Some images, in their order. */
export interface NamedBatch {
  /** One of each image. */
  readonly names: readonly string[];
  /** [names.length, imageSize, imageSize, 3], preprocessed. */
  readonly images: Float32Array;
}

/** Milliseconds after which a batch is not waited for to be full: a list of images may be typed, or come from a camera. */
const IDLE_MS = 200;

/** @throws CorruptImageError where `strict`; whatever the list of images throws */
export async function* imageStream(
  images: Iterable<NamedImage> | AsyncIterable<NamedImage>,
  options: ImageStreamOptions,
): AsyncGenerator<NamedBatch, void, undefined> {
  const { batchSize, imageSize, preprocessing, strict = false, onSkip } = options;
  const values = imageSize * imageSize * 3;
  let names: string[] = [];
  let batch = new Float32Array(batchSize * values);
  const take = (): NamedBatch => {
    const full = { names, images: names.length === batchSize ? batch : batch.slice(0, names.length * values) };
    names = [];
    batch = new Float32Array(batchSize * values);
    return full;
  };
  const source = decoded(images, options);
  try {
    for (;;) {
      const next = source.next();
      if (names.length > 0 && !(await settles(next, IDLE_MS))) yield take();
      const { done, value } = await next;
      if (done) break;
      const { name, outcome } = value;
      if (outcome instanceof Uint8Array) {
        preprocess(outcome, preprocessing, batch, names.length * values);
        names.push(name);
      } else if (outcome instanceof CorruptImageError && !strict) onSkip?.(outcome);
      else throw outcome;
      if (names.length === batchSize) yield take();
    }
    if (names.length > 0) yield take();
  } finally {
    leave(source);
  }
}

interface Decoded {
  readonly name: string;
  /** An error is a value here, so that none is an unhandled rejection. */
  readonly outcome: Uint8Array | Error;
}

/** In order, each as soon as it is there; `workers` of them under way. */
async function* decoded(
  images: Iterable<NamedImage> | AsyncIterable<NamedImage>,
  { workers = 8, imageSize, resizeShorter }: ImageStreamOptions,
): AsyncGenerator<Decoded, void, undefined> {
  const start = async ({ name, read }: NamedImage): Promise<Decoded> => {
    try {
      return { name, outcome: await decodeImage(await read(), name, imageSize, { resizeShorter }) };
    } catch (error) {
      return { name, outcome: error instanceof Error ? error : new Error(String(error)) };
    }
  };
  const source = each(images);
  const window: Promise<Decoded>[] = [];
  let next: Promise<IteratorResult<NamedImage, void>> | undefined = source.next();
  try {
    for (;;) {
      const [first] = window;
      const mayRead = next !== undefined && window.length < workers;
      if (!first && !next) return;
      const isImage = first && (!mayRead || (await Promise.race([first.then(() => true), next?.then(() => false)])));
      if (first && isImage) {
        yield await first;
        void window.shift();
        continue;
      }
      const result = await next;
      if (!result || result.done) next = undefined;
      else {
        window.push(start(result.value));
        next = source.next();
        // Its turn may come late; a list that fails is reported then.
        next.catch(() => undefined);
      }
    }
  } finally {
    leave(source);
  }
}

/** Ends a generator without waiting: one that waits for a list's next line would not end before that comes. */
function leave(source: AsyncGenerator): void {
  source.return(undefined).catch(() => undefined);
}

async function* each(
  images: Iterable<NamedImage> | AsyncIterable<NamedImage>,
): AsyncGenerator<NamedImage, void, undefined> {
  yield* images;
}

/** Whether a promise settles in time. */
async function settles(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((done) => (timer = setTimeout(() => done(false), milliseconds)));
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
