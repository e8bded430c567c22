// An order to train in that is random and yet reads files in large pieces: what streaming readers get from permuting their
// shards and shuffling a buffer, worked out on positions, so that it is known ahead, can be gone on with anywhere, and does not
// depend on how many processes share it.
//
// The images are cut into stretches, which lie together in a file; the stretches are permuted; the sequence that results is
// cut into windows of as many images as the buffer holds, and each window is permuted. A reader that fetches window after
// window reads each stretch once. Stretches are permuted rather than whole shards: shards whose images are sorted by class
// would give batches of a few classes. Windows are counted from the end of the order, so that what is left of it is cut alike.

import { Random } from '../../random.ts';
import { fileOf, type StoredImages } from './stored-images.ts';

/** A stretch ends with the image that reaches so many bytes: a read so long costs a disk or a network little more than its bytes. */
export const STRETCH_BYTES = 4 * 2 ** 20;
/** What the images of a window take, about. */
const WINDOW_BYTES = 256 * 2 ** 20;
/** Images of a window, at most: more mix no better. */
const MOST_IMAGES = 16_384;

/** Images of a window: what a reader holds in memory. The same for any part of the images. */
export function windowLength({ sizes }: StoredImages): number {
  const mean = sizes.reduce((a, b) => a + b, 0) / Math.max(1, sizes.length);
  return Math.max(1, Math.min(MOST_IMAGES, Math.floor(WINDOW_BYTES / Math.max(1, mean))));
}

/** Where the window ends that begins at `from`, of `length` positions: all windows are full but the first. */
export const windowEnd = (from: number, length: number, window: number): number =>
  from + ((length - from) % window || Math.min(window, length - from));

/**
 * The positions of `indices` in the order of an epoch.
 * @param indices which images, in any order
 * @param window as `windowLength` has it
 */
export function readingOrder(
  images: StoredImages,
  indices: Int32Array,
  { seed, epoch, window }: { readonly seed: number; readonly epoch: number; readonly window: number },
): Int32Array {
  const random = Random.fromSeed(seed, `reading order/${epoch}`);
  const places = byPlace(indices);
  const starts = stretches(images, indices, places);
  const permuted = Int32Array.from(starts, (_, i) => i);
  random.shuffle(permuted);
  const order = new Int32Array(indices.length);
  let at = 0;
  for (const stretch of permuted) {
    const part = places.subarray(starts[stretch], starts[stretch + 1]);
    order.set(part, at);
    at += part.length;
  }
  for (let from = 0; from < order.length;) {
    const end = windowEnd(from, order.length, window);
    random.shuffle(order.subarray(from, end));
    from = end;
  }
  return order;
}

/** Positions of `indices`, those of the first images first. */
export function byPlace(indices: Int32Array): Int32Array {
  const places = Int32Array.from(indices, (_, position) => position);
  const ascends = indices.every((index, i) => i === 0 || index >= (indices[i - 1] ?? 0));
  return ascends ? places : places.sort((a, b) => (indices[a] ?? 0) - (indices[b] ?? 0) || a - b);
}

/** Which of `places` begin a stretch. */
function stretches(images: StoredImages, indices: Int32Array, places: Int32Array): number[] {
  const starts: number[] = [];
  let [file, end] = [-1, 0];
  places.forEach((position, i) => {
    const image = indices[position] ?? 0;
    const [itsFile, offset] = [fileOf(images, image), images.offsets[image] ?? 0];
    if (itsFile === file && offset < end) return;
    starts.push(i);
    [file, end] = [itsFile, offset + STRETCH_BYTES];
  });
  return starts;
}
