// The order of an epoch's images divided over ranks: each batch of all ranks is cut into one part for each.

/** A rank's place among the ranks. */
export interface Place {
  /** From 0. */
  readonly rank: number;
  /** Ranks. */
  readonly size: number;
}

/** Images of a step: of all ranks together. */
export const globalBatch = (batchSize: number, { size }: Pick<Place, 'size'>): number => batchSize * size;

/**
 * What of `order` is a rank's: of each global batch its own `batchSize` images, and of the last, shorter one an equal part, give
 * or take one. One after the other; every rank's are cut at multiples of `batchSize`.
 */
export function stepShareOf(order: Int32Array, batchSize: number, { rank, size }: Place): Int32Array {
  const whole = Math.floor(order.length / (batchSize * size));
  const rest = order.subarray(whole * batchSize * size);
  const [from, to] = [Math.floor((rank * rest.length) / size), Math.floor(((rank + 1) * rest.length) / size)];
  const share = new Int32Array(whole * batchSize + to - from);
  for (let step = 0; step < whole; step++) {
    const start = (step * size + rank) * batchSize;
    share.set(order.subarray(start, start + batchSize), step * batchSize);
  }
  share.set(rest.subarray(from, to), whole * batchSize);
  return share;
}

/** Sizes that a rank's batches have in an epoch of `length` images. */
export function stepShareSizes(length: number, batchSize: number, place: Place): number[] {
  const { length: share } = stepShareOf(new Int32Array(length), batchSize, place);
  const sizes = [Math.min(share, batchSize), share % batchSize];
  return [...new Set(sizes.filter((size) => size > 0))];
}
