// The order of an epoch: a permutation by seed and epoch, the same on every platform.
import { uniformNumbers } from '../weights/random.ts';
import type { Features, ImageSource } from './types.ts';

/** 0 … length-1 in random order (Fisher and Yates). */
export function permutation(length: number, seed: number, epoch: number): Int32Array {
  const uniform = uniformNumbers(seed * 65_537 + epoch);
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    const swapped = order[j] ?? 0;
    order[j] = order[i] ?? 0;
    order[i] = swapped;
  }
  return order;
}

/**
 * The order of an epoch: the source's own where images that lie together are better read together, else any permutation.
 * @param features kept ones, whose rows are read in place of images
 * @param epoch from 1
 */
export function epochOrder(
  source: Pick<ImageSource, 'length' | 'order'>,
  features: Features | undefined,
  seed: number,
  epoch: number,
): Int32Array {
  if (features) return permutation(features.labels.length, seed, epoch);
  return source.order?.(seed, epoch) ?? permutation(source.length, seed, epoch);
}
