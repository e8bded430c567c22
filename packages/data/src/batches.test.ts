import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { batches, type Batch, type BatchOptions, type SkippedImage } from './batches.ts';
import type { ImageDataset } from './dataset.ts';
import { CorruptImageError } from './errors.ts';
import { allIndices } from './sampling.ts';

interface Fake extends ImageDataset {
  reads: number;
  running: number;
  mostRunning: number;
}

/** Images of which every byte is the index; `corrupt` ones cannot be read; later ones may be ready sooner. */
function fake(length: number, { corrupt = [] as number[], slow = false } = {}): Fake {
  return {
    name: 'fake',
    classes: ['a', 'b', 'c'],
    length,
    labels: Int32Array.from({ length }, (_, i) => i % 3),
    hash: '',
    imageSize: null,
    reads: 0,
    running: 0,
    mostRunning: 0,
    async readImage(index, size) {
      this.reads++;
      this.mostRunning = Math.max(this.mostRunning, ++this.running);
      if (slow) await sleep((index * 7) % 5);
      this.running--;
      if (corrupt.includes(index)) throw new CorruptImageError(this.describe(index), 'no picture');
      return new Uint8Array(size * size * 3).fill(index);
    },
    describe: (index) => `file-${index}.jpg`,
  };
}

const base = { batchSize: 4, imageSize: 2, preprocessing: 'none' } as const;

async function collect(data: ImageDataset, options: Partial<BatchOptions> = {}): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches(data, { ...base, indices: allIndices(data.length), ...options })) all.push(batch);
  return all;
}

describe('batches', () => {
  test('gives images, labels and indices in the order asked for, the last batch short', async () => {
    const all = await collect(fake(20), { indices: Int32Array.of(9, 3, 3, 7, 1) });
    expect(all.map((batch) => batch.size)).toEqual([4, 1]);
    expect([...all[0]!.indices]).toEqual([9, 3, 3, 7]);
    expect([...all[0]!.labels]).toEqual([0, 0, 0, 1]);
    expect(all[0]!.images.length).toBe(4 * 12);
    expect([...all[0]!.images]).toEqual([9, 3, 3, 7].flatMap((v) => new Array<number>(12).fill(v)));
    expect([...all[1]!.images]).toEqual(new Array(12).fill(1));
  });

  test('fill false: an unreadable image is not made up for, and batches are cut where they would be without it', async () => {
    const data = fake(11, { corrupt: [1, 3, 4, 5, 6, 7, 8] });
    const all = await collect(data, { fill: false });
    // By hand: of 0 to 3 two can be read, of 4 to 7 none, of 8 to 10 the last two.
    expect(all.map(({ size, taken }) => [size, taken])).toEqual([[2, 4], [0, 8], [2, 11]]); // prettier-ignore
    expect(all.map(({ indices }) => [...indices])).toEqual([[0, 2], [], [9, 10]]);
    expect(all.map(({ labels }) => [...labels])).toEqual([[0, 2], [], [0, 1]]);
    expect(all.map(({ images }) => images.length)).toEqual([24, 0, 24]);
    // The images of the last cut are these, and not what a buffer held.
    expect([...(all[2]?.images ?? [])]).toEqual([...Array<number>(12).fill(9), ...Array<number>(12).fill(10)]);
  });

  test('preprocesses', async () => {
    const [batch] = await collect(fake(1), { preprocessing: 'tf-official' });
    expect(batch!.images[0]).toBe(Math.fround(-123.68));
  });

  test('any number of workers, prefetched batches and corrupt images gives every good image once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(30),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(4),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.nat(30)),
        fc.boolean(),
        async (length, batchSize, prefetch, workers, bad, dropLast) => {
          const corrupt = bad.filter((i) => i < length);
          const good = [...allIndices(length)].filter((i) => !corrupt.includes(i));
          fc.pre(length === 0 || good.length > 0);
          const all = await collect(fake(length, { corrupt }), { batchSize, prefetch, workers, dropLast });
          const kept = dropLast ? good.slice(0, good.length - (good.length % batchSize)) : good;
          expect(all.flatMap((batch) => [...batch.indices])).toEqual(kept);
          all.forEach((batch, b) => {
            if (b < all.length - 1 || dropLast) expect(batch.size).toBe(batchSize);
            expect([batch.indices.length, batch.labels.length, batch.images.length]).toEqual([
              batch.size,
              batch.size,
              batch.size * 12,
            ]);
            batch.indices.forEach((index, i) => {
              expect(batch.labels[i]).toBe(index % 3);
              expect(batch.images[12 * i + 11]).toBe(index);
            });
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('keeps the order where later images are ready sooner, and bounds the concurrent reads', async () => {
    const data = fake(40, { slow: true });
    const all = await collect(data, { workers: 5 });
    expect(all.flatMap((batch) => [...batch.indices])).toEqual([...allIndices(40)]);
    expect(data.mostRunning).toBe(5);
  });

  test('names skipped images once, over two passes', async () => {
    const told: SkippedImage[] = [];
    const data = fake(10, { corrupt: [2, 5] });
    const stream = batches(data, { ...base, indices: allIndices(10), onSkip: (image) => told.push(image) });
    for (let pass = 0; pass < 2; pass++) {
      let images = 0;
      for await (const batch of stream) images += batch.size;
      expect(images).toBe(8);
    }
    expect(told).toEqual([
      { index: 2, path: 'file-2.jpg', reason: 'no picture' },
      { index: 5, path: 'file-5.jpg', reason: 'no picture' },
    ]);
    expect(stream.skipped).toEqual(told);
  });

  test('strict: fails with the name of the image', async () => {
    await expect(collect(fake(10, { corrupt: [6] }), { strict: true })).rejects.toThrow('file-6.jpg: no picture');
  });

  test('fails where every image is corrupt', async () => {
    await expect(collect(fake(3, { corrupt: [0, 1, 2] }))).rejects.toThrow('fake: none of 3 images could be read');
    expect(await collect(fake(3, { corrupt: [0, 1, 2] }), { isPart: true })).toEqual([]);
  });

  test('any other error is not skipped', async () => {
    const data = fake(5);
    data.readImage = async () => Promise.reject(new Error('disk on fire'));
    await expect(collect(data)).rejects.toThrow('disk on fire');
  });

  test('works ahead while the consumer is busy, no further than told', async () => {
    const data = fake(100);
    const iterator = batches(data, { ...base, indices: allIndices(100), prefetch: 3, workers: 1 })[
      Symbol.asyncIterator
    ]();
    await iterator.next();
    await sleep(10);
    // The batch in hand, three ahead, and one image in the window.
    expect(data.reads).toBeGreaterThanOrEqual(16);
    expect(data.reads).toBeLessThanOrEqual(17);
    await iterator.return?.();
  });

  test('reads no more once the consumer stops', async () => {
    const data = fake(1000, { slow: true });
    for await (const batch of batches(data, { ...base, indices: allIndices(1000) })) {
      expect(batch.size).toBe(4);
      break;
    }
    const reads = data.reads;
    await sleep(20);
    expect(data.reads).toBe(reads);
    expect(reads).toBeLessThan(40);
  });

  test.each([0, 2])(
    'a pass that reads ahead is asked by position, and closed at the end and before (prefetch %i)',
    async (prefetch) => {
      const data = fake(20);
      let closed = 0;
      data.readAhead = (indices) => ({
        readImage: async (position, size) => new Uint8Array(size * size * 3).fill(100 + (indices[position] ?? 0)),
        close: () => {
          closed++;
        },
      });
      const options = { indices: Int32Array.of(7, 3, 3, 11, 2), prefetch };
      const all = await collect(data, options);
      expect(all.flatMap((batch) => [...batch.indices])).toEqual([7, 3, 3, 11, 2]);
      expect(all[0]!.images[0]).toBe(107);
      expect([closed, data.reads]).toEqual([1, 0]);
      for await (const batch of batches(data, { ...base, ...options, batchSize: 1 })) {
        expect(batch.images[0]).toBe(107);
        break;
      }
      expect(closed).toBe(2);
    },
  );

  test('stops at an abort', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      const options = { ...base, indices: allIndices(100), signal: controller.signal };
      for await (const batch of batches(fake(100, { slow: true }), options)) {
        seen.push(batch.size);
        controller.abort();
      }
    };
    await expect(run()).rejects.toThrow(/abort/i);
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  test('refuses wrong options before any image is read', () => {
    const data = fake(10);
    const make = (options: Partial<BatchOptions>) => () =>
      batches(data, { ...base, indices: allIndices(10), ...options });
    expect(make({ batchSize: 0 })).toThrow('batch size 0 is not a whole number of at least 1');
    expect(make({ imageSize: 31.5 })).toThrow('image size 31.5');
    expect(make({ workers: 0 })).toThrow('workers 0');
    expect(make({ prefetch: -1 })).toThrow('prefetch -1');
    expect(make({ indices: Int32Array.of(0, 10) })).toThrow('fake: no image 10; it has 10, counted from 0');
    expect(data.reads).toBe(0);
  });
});
