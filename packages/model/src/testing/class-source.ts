// Images whose class shows in the mean of one channel: something that a tiny network can learn.
import type { ImageSource } from '../training/index.ts';
import { noise } from './tiny.ts';

/** @param classes at most 3; @param size height and width */
export function classSource(length: number, classes: number, size: number): ImageSource {
  const labels = Int32Array.from({ length }, (_, i) => i % classes);
  return {
    length,
    labels,
    async *batches(indices, batchSize) {
      for (let start = 0; start < indices.length; start += batchSize) {
        const rows = indices.subarray(start, start + batchSize);
        const images = new Float32Array(rows.length * size * size * 3);
        rows.forEach((row, i) => {
          const pixels = noise(size * size * 3, row + 1);
          pixels.forEach((value, p) => (images[i * pixels.length + p] = value + (p % 3 === labels[row] ? 1 : 0)));
        });
        yield await Promise.resolve({
          images,
          labels: Int32Array.from(rows, (row) => labels[row]!),
          size: rows.length,
        });
      }
    },
  };
}
