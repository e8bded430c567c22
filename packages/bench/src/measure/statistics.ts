// Figures of repeated measurements: median with its range, geometric means, and the floor that a device's ceilings set.
import { logAverage, max, median, min } from 'simple-statistics';

/** Milliseconds of one repetition over several rounds. */
export interface Spread {
  /** The middle round. */
  readonly median: number;
  /** The fastest round. */
  readonly min: number;
  /** The slowest round. */
  readonly max: number;
  /** How many rounds there were. */
  readonly rounds: number;
}

/** @throws Error when there is nothing to summarise */
export function spread(milliseconds: readonly number[]): Spread {
  if (milliseconds.length === 0) throw new Error('spread: not one round was measured.');
  const values = [...milliseconds];
  return { median: median(values), min: min(values), max: max(values), rounds: values.length };
}

/** The geometric mean of positive numbers; undefined of none. Computed on logarithms, so that long lists do not overflow. */
export function geometricMean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : logAverage([...values]);
}

/** What a device was measured to do at most. */
export interface Ceilings {
  /** float32 operations in a second, a fused multiply-add counted as two. */
  readonly flops: number;
  /** Bytes read and written in a second by a copy. */
  readonly bytesPerSecond: number;
}

/** What a computation has to do at least. */
export interface Work {
  /** float32 operations, a multiply-add counted as two. */
  readonly flops: number;
  /** Bytes of the inputs read once and of the outputs written once. */
  readonly bytes: number;
}

/** The least milliseconds that `work` can take: the longer of its arithmetic and its traffic, each at the ceiling. */
export function floorMilliseconds({ flops, bytes }: Work, ceilings: Ceilings): number {
  return 1000 * Math.max(flops / ceilings.flops, bytes / ceilings.bytesPerSecond);
}
