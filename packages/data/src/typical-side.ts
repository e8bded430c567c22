// How large the images of a data set are, from a few of them.
import type { ImageDataset } from './dataset.ts';
import { CorruptImageError } from './errors.ts';

/** Images whose headers are read: their median is within a few ranks of that of all. */
const SAMPLE = 32;

/**
 * Median of the images' shorter sides as they lie, in pixels; of 32 of them, evenly spaced, where they differ.
 * @returns null where it cannot be told of any image
 */
export async function typicalSide(dataset: ImageDataset, indices: Int32Array): Promise<number | null> {
  if (dataset.imageSize) return Math.min(dataset.imageSize.height, dataset.imageSize.width);
  if (!dataset.readSide) return null;
  const count = Math.min(SAMPLE, indices.length);
  const sides: number[] = [];
  for (let i = 0; i < count; i++) {
    const index = indices[Math.floor((i * indices.length) / count)] ?? 0;
    try {
      sides.push(await dataset.readSide(index));
    } catch (error) {
      if (!(error instanceof CorruptImageError)) throw error;
    }
  }
  return sides.sort((a, b) => a - b)[Math.floor(sides.length / 2)] ?? null;
}
