// Encoded images that lie in a few large files: tar shards, or the one file that Parquet is unpacked to.

import { open } from 'node:fs/promises';
import { DataError } from '../../errors.ts';
import { explain } from '../paths.ts';

/** Where each image lies. Images are counted in the order of the files, and in a file in the order of their places. */
export interface StoredImages {
  /** Paths of the files. */
  readonly files: readonly string[];
  /** The first image of each file; ascends. */
  readonly firsts: Int32Array;
  /** First byte of each image in its file. */
  readonly offsets: Float64Array;
  /** Bytes of each image. */
  readonly sizes: Float64Array;
}

/** Number of the file that an image lies in. */
export function fileOf({ firsts }: StoredImages, image: number): number {
  let [low, high] = [0, firsts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((firsts[middle] ?? 0) <= image) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Bytes of a file from `start`; fewer than `length` where it ends before.
 * @throws DataError where it cannot be read
 */
export async function readAt(path: string, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  try {
    const file = await open(path);
    try {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, start + done);
        if (bytesRead === 0) return bytes.subarray(0, done);
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new DataError(`${path}: the file ${explain(error)}`, { cause: error });
  }
  return bytes;
}
