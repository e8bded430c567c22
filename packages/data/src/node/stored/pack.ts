// Encoded images of another format, laid end to end in one file of the cache: any of them is read by one seek.

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '../../errors.ts';
import { withLock } from '../lock.ts';
import { explain, statOrNull } from '../paths.ts';
import { writeWhole } from '../write-whole.ts';

/** Where images lie: image i from `offsets[i]` to `offsets[i + 1]` of the file `images`. */
export interface Pack {
  readonly images: string;
  readonly offsets: Float64Array;
}

/**
 * The pack `<path>.images` with `<path>.offsets`, written from `source` where it is not there yet. Both are moved into place
 * whole, the offsets last.
 * @param source the bytes of each image, in order; read one at a time
 * @throws DataError where there is no room for it, or another process is writing it
 */
export async function pack(path: string, source: () => AsyncIterable<Uint8Array>): Promise<Pack> {
  const found = await readPack(path);
  if (found) return found;
  const [images, offsets] = [`${path}.images`, `${path}.offsets`];
  try {
    await mkdir(dirname(path), { recursive: true });
    return await withLock(`${path}.lock`, `unpacking ${path}`, async () => {
      const meanwhile = await readPack(path);
      if (meanwhile) return meanwhile;
      const ends = [0];
      const file = await open(`${images}.part`, 'w');
      try {
        let end = 0;
        for await (const bytes of source()) {
          await file.writeFile(bytes);
          ends.push((end += bytes.length));
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const table = Float64Array.from(ends);
      await rename(`${images}.part`, images);
      await writeWhole(offsets, new Uint8Array(table.buffer));
      return { images, offsets: table };
    });
  } catch (error) {
    await rm(`${images}.part`, { force: true }).catch(() => undefined);
    if (error instanceof DataError) throw error;
    throw new DataError(`${images}: the file ${explain(error)}; it would hold the unpacked images`, { cause: error });
  }
}

/** A pack that is whole, or null. */
async function readPack(path: string): Promise<Pack | null> {
  const images = `${path}.images`;
  const size = (await statOrNull(images))?.size;
  const bytes = await readFile(`${path}.offsets`).catch(() => null);
  if (size === undefined || !bytes || bytes.length < 8 || bytes.length % 8 !== 0) return null;
  const offsets = new Float64Array(new Uint8Array(bytes).buffer);
  return offsets.at(-1) === size ? { images, offsets } : null;
}
