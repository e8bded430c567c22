// Reading large files in training order: the order is a permutation made of stretches and windows, whatever part and wherever it
// is taken up; the reader gives each image once, from few reads, and holds no more than it may.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../testing/files.ts';
import { ReadAhead } from './read-ahead.ts';
import { readingOrder, STRETCH_BYTES, windowEnd, windowLength } from './reading-order.ts';
import { fileOf, readAt, type StoredImages } from './stored-images.ts';

/** Files of `counts` images of `size` bytes, `gap` bytes before each. */
function laidOut(counts: readonly number[], size: number, gap = 0, files = counts.map((_, f) => `${f}`)): StoredImages {
  const firsts = Int32Array.from(counts, (_, f) => counts.slice(0, f).reduce((a, b) => a + b, 0));
  const places = counts.flatMap((count) => Array.from({ length: count }, (_, i) => i * (size + gap) + gap));
  return { files, firsts, offsets: Float64Array.from(places), sizes: new Float64Array(places.length).fill(size) };
}

const all = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);
const ascending = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

describe('the order', () => {
  test('files are found, also beside empty ones', () => {
    const images = laidOut([0, 3, 0, 0, 2, 0], 1);
    expect([0, 2, 3, 4].map((image) => fileOf(images, image))).toEqual([1, 1, 4, 4]);
  });

  test('a window holds 256 MiB of images, and 16,384 at most', () => {
    expect(windowLength(laidOut([4], 2 ** 20))).toBe(256);
    expect(windowLength(laidOut([4], 1000))).toBe(16_384);
    expect(windowLength(laidOut([2], 2 ** 30))).toBe(1);
    expect(windowLength(laidOut([], 1))).toBe(16_384);
  });

  test('every position once, for any part of any files; another for another epoch, the same for the same', () => {
    const counts = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(counts, fc.nat(99), fc.integer({ min: 1, max: 50 }), fc.nat(), (counts, share, window, seed) => {
        const images = laidOut(counts, STRETCH_BYTES / 5);
        const part = all(images.sizes.length).filter((i) => (i * 37) % 100 <= share);
        const order = readingOrder(images, part, { seed, epoch: 1, window });
        expect(ascending(order)).toEqual([...all(part.length)]);
        expect(readingOrder(images, part, { seed, epoch: 1, window })).toEqual(order);
        // What is asked for in another order has the same images at the same places.
        const reversed = readingOrder(images, part.slice().reverse(), { seed, epoch: 1, window });
        expect([...reversed].map((position) => part[part.length - 1 - position])).toEqual([...order].map((position) => part[position])); // prettier-ignore
      }),
    );
    const images = laidOut([100], 1);
    const [one, two] = [1, 2].map((epoch) => readingOrder(images, all(100), { seed: 3, epoch, window: 10 }));
    expect(one).not.toEqual(two);
  });

  test('windows are of whole stretches, and the stretches come in random order', () => {
    // A stretch of 5 images: the fifth begins below 4 MiB from its start, the sixth at it.
    const images = laidOut([50, 50], STRETCH_BYTES / 5);
    const order = readingOrder(images, all(100), { seed: 1, epoch: 1, window: 20 });
    const stretchesOf = (from: number) => [...new Set(order.subarray(from, from + 20).map((image) => Math.floor(image / 5)))]; // prettier-ignore
    const windows = [0, 20, 40, 60, 80].map(stretchesOf);
    expect(windows.map((window) => window.length)).toEqual([4, 4, 4, 4, 4]);
    expect(ascending(windows.flat())).toEqual([...all(20)]);
    // Both files are in most windows: sorted shards are mixed.
    expect(windows.filter((window) => window.some((s) => s < 10) && window.some((s) => s >= 10)).length).toBeGreaterThan(2); // prettier-ignore
  });

  test('windows are the same for what is left of an order', () => {
    const ends = (from: number): number[] => {
      const found: number[] = [];
      for (let at = from; at < 107;) found.push((at = windowEnd(at, 107, 20)));
      return found;
    };
    expect(ends(0)).toEqual([7, 27, 47, 67, 87, 107]);
    expect(ends(33)).toEqual([47, 67, 87, 107]);
    expect(ends(7)).toEqual([27, 47, 67, 87, 107]);
  });
});

describe('reading ahead', () => {
  /** Image i is 100 bytes of i, from byte 200 i + 100 of its file on. */
  async function written(counts: readonly number[]): Promise<StoredImages> {
    const folder = await temporaryFolder();
    const images = laidOut(counts, 100, 100, counts.map((_, f) => join(folder, `${f}.bin`))); // prettier-ignore
    for (const [f, count] of counts.entries()) {
      const first = images.firsts[f] ?? 0;
      const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => [Buffer.alloc(100), Buffer.alloc(100, first + i)]).flat()); // prettier-ignore
      await writeFile(images.files[f] ?? '', bytes);
    }
    return images;
  }

  test('each image of any order comes, `workers` at a time, and no more than a window is held', async () => {
    const images = await written([60, 0, 90]);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(149), { maxLength: 200 }),
        fc.integer({ min: 1, max: 9 }),
        async (window, indices, workers) => {
          const pass = new ReadAhead(images, Int32Array.from(indices), { window });
          const given: number[] = [];
          const running: Promise<Uint8Array>[] = [];
          for (let position = 0; position < indices.length || running.length > 0;) {
            while (running.length < workers && position < indices.length) running.push(pass.take(position++));
            const bytes = await running.shift();
            expect(bytes?.length).toBe(100);
            given.push(bytes?.[0] ?? -1, bytes?.[99] ?? -1);
          }
          expect(given).toEqual(indices.flatMap((index) => [index, index]));
          // What is asked for while there is no room is read beside it.
          expect(pass.peak.images).toBeLessThanOrEqual(Math.max(window, workers));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('an epoch reads each stretch once, also from its middle; a third of each batch costs no rank more', async () => {
    const images = await written([2000]);
    const order = readingOrder(images, all(2000), { seed: 5, epoch: 2, window: 500 });
    const readBy = async (indices: Int32Array) => {
      const pass = new ReadAhead(images, indices, { window: 500 });
      for (let position = 0; position < indices.length; position++) {
        expect((await pass.take(position))[0]).toBe((indices[position] ?? 0) % 256);
      }
      return pass.reads;
    };
    // The whole file is one stretch, so each window's images are spread over it; images so near are joined.
    expect((await readBy(order)).count).toBe(4);
    expect((await readBy(order.subarray(750))).count).toBe(3);
    const third = order.filter((_, position) => position % 3 === 1);
    expect((await readBy(third)).count).toBe(2);
  });

  test('beyond the bytes that may be held, images are read when they are asked for', async () => {
    const images = await written([50]);
    const order = readingOrder(images, all(50), { seed: 1, epoch: 1, window: 50 });
    const pass = new ReadAhead(images, order, { window: 25, mostBytes: 1000 });
    for (const [position, image] of order.entries()) expect((await pass.take(position))[0]).toBe(image);
    // One read, of a window, is always allowed.
    expect(pass.peak.bytes).toBeLessThanOrEqual(2500);
  });

  test('a file that was cut off gives what there is of an image; one that is gone an error of its own, in its turn', async () => {
    const images = await written([4, 4]);
    await writeFile(images.files[0] ?? '', Buffer.alloc(350, 1));
    const pass = new ReadAhead(images, Int32Array.of(0, 1, 2), { window: 8 });
    expect((await pass.take(0)).length).toBe(100);
    expect((await pass.take(1)).length).toBe(50);
    expect((await pass.take(2)).length).toBe(0);
    const gone = { ...images, files: [images.files[0] ?? '', '/nowhere/x.bin'] };
    const other = new ReadAhead(gone, Int32Array.of(0, 5), { window: 8 });
    await other.take(0);
    await expect(other.take(1)).rejects.toThrow('/nowhere/x.bin: the file does not exist');
    await expect(readAt('/nowhere/x.bin', 0, 4)).rejects.toThrow('does not exist');
  });
});
