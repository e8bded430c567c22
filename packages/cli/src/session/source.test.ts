// A data set as pixels and views: what the device makes of them is what the host would, and chance depends on nothing but seed,
// epoch and image.
import { generatedDataset, PREPROCESSINGS, type Augmentation, type ImageDataset } from '@thaw/data';
import { imageViews, packViews, VIEW_LENGTH } from '@thaw/kernels';
import type { PixelBatch } from '@thaw/model';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataSource, type SourceOptions } from './source.ts';

const dataset = generatedDataset({ count: 12, seed: 3 });
const source = (options: Partial<SourceOptions>, indices?: Int32Array): DataSource =>
  new DataSource(dataset, indices, { imageSize: 48, preprocessing: 'torchvision', ...options });

async function pixels(of: DataSource, positions: number[], batchSize: number, epoch?: number): Promise<PixelBatch[]> {
  const batches: PixelBatch[] = [];
  for await (const batch of of.pixels!.batches(Int32Array.from(positions), batchSize, epoch)) batches.push(batch);
  return batches;
}

test('images as large as the network sees them, and not augmented, have nothing to prepare', () => {
  expect(source({ imageSize: 32 }).pixels).toBeUndefined();
  expect(source({ imageSize: 48 }).pixels).toMatchObject({ height: 32, width: 32, isAugmented: false });
  expect(source({ imageSize: 32, augmentations: ['flip'] }).pixels).toMatchObject({ height: 32, isAugmented: true });
  // Smaller than stored: shrunk by the host, which smooths.
  expect(source({ imageSize: 20, augmentations: ['flip'] }).pixels).toMatchObject({ height: 20, width: 20 });
});

describe('plain views', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test.each(PREPROCESSINGS)('enlarged and normalised as the host does it, %s', async (preprocessing) => {
    const one = source({ preprocessing });
    const { normalisation } = one.pixels!;
    const [batch] = await pixels(one, [0, 1, 2, 3, 4], 5);
    const seen = tf.tidy(() => {
      const images = tf.tensor4d(batch!.images, [5, 32, 32, 3]);
      return imageViews(images, tf.tensor2d(packViews(batch!.views), [5, VIEW_LENGTH]), 48, normalisation);
    });
    const got = await seen.data();
    seen.dispose();
    for await (const { images } of one.batches(Int32Array.of(0, 1, 2, 3, 4), 5)) {
      // The host rounds an enlarged colour to a byte. In float32 a position below 32 is off by three roundings, on a slope of
      // at most 255 a pixel in each direction; and there are some ten roundings of numbers up to 255.
      const step = Math.max(...normalisation.scale);
      const rounding = (2 * 255 * 3 * 32 + 10 * 255) * 2 ** -24;
      const off = images.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
      expect(off).toBeLessThanOrEqual(step * (0.5 + rounding));
      expect(off).toBeGreaterThan(0);
    }
  });

  test('an augmented source without an epoch looks at the images as they are', async () => {
    const augmented = await pixels(source({ augmentations: ['flip', 'crop'] }), [2, 5], 2);
    expect(augmented).toEqual(await pixels(source({}), [2, 5], 2));
  });
});

describe('augmented views', () => {
  const augmentations: readonly Augmentation[] = ['crop', 'zoom', 'flip', 'jitter', 'erase'];
  /** The view of each image of the data set. */
  async function viewsOf(of: DataSource, positions: number[], batchSize: number, epoch: number) {
    const batches = await pixels(of, positions, batchSize, epoch);
    const views = batches.flatMap((batch) => batch.views);
    return new Map(positions.map((position, i) => [of.indices[position], views[i]]));
  }
  const ALL = Array.from({ length: 12 }, (_, i) => i);

  test('are the same in batches of any size, in any order, from any part', async () => {
    const whole = await viewsOf(source({ augmentations, seed: 7 }), ALL, 5, 2);
    expect(await viewsOf(source({ augmentations, seed: 7 }), [...ALL].reverse(), 12, 2)).toEqual(
      new Map([...whole].reverse()),
    );
    const part = source({ augmentations, seed: 7 }, Int32Array.of(9, 4));
    expect([...(await viewsOf(part, [0, 1], 1, 2))]).toEqual([[9, whole.get(9)], [4, whole.get(4)]]); // prettier-ignore
  });

  test('differ by epoch and by seed', async () => {
    const views = async (seed: number, epoch: number) => viewsOf(source({ augmentations, seed }), ALL, 12, epoch);
    const first = await views(7, 1);
    expect(await views(7, 2)).not.toEqual(first);
    expect(await views(8, 1)).not.toEqual(first);
    expect(await views(7, 1)).toEqual(first);
  });
});

test('RandAugment as a picture: eleven images and their original, as on the day it was looked at', async () => {
  await tf.setBackend('cpu');
  const augmentations = ['rand'] as const;
  const own = generatedDataset({ count: 2, seed: 3 });
  const seen: Uint8Array[] = [];
  const one = new DataSource(own, undefined, { imageSize: 64, preprocessing: 'none', augmentations, seed: 5 });
  for (const epoch of [undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
    const [batch] = await pixels(one, [1], 1, epoch);
    const view = tf.tidy(() => {
      const images = tf.tensor4d(batch!.images, [1, 32, 32, 3]);
      return imageViews(images, tf.tensor2d(packViews(batch!.views), [1, VIEW_LENGTH]), 64, one.pixels!.normalisation);
    });
    seen.push(Uint8Array.from(await view.data(), Math.round));
    view.dispose();
  }
  const [columns, rows, side] = [4, 3, 64];
  const sheet = new Uint8Array(columns * rows * side * side * 3);
  for (const [i, rgb] of seen.entries())
    for (let y = 0; y < side; y++) {
      const at = ((Math.floor(i / columns) * side + y) * columns + (i % columns)) * side * 3;
      sheet.set(rgb.subarray(y * side * 3, (y + 1) * side * 3), at);
    }
  const size = { width: columns * side, height: rows * side };
  const golden = fileURLToPath(new URL('../testing/rand-augment.png', import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1')
    await sharp(sheet, { raw: { ...size, channels: 3 } }).png().toFile(golden); // prettier-ignore
  const want = await sharp(golden).removeAlpha().raw().toBuffer();
  // A byte that was rounded may be rounded the other way.
  expect(sheet.reduce((most, byte, i) => Math.max(most, Math.abs(byte - want[i]!)), 0)).toBeLessThanOrEqual(1);
});

test("a part is in its data set's own order where it has one, by positions of the part", () => {
  const asked: unknown[] = [];
  const ordered: ImageDataset = generatedDataset({ count: 12, seed: 3 });
  ordered.order = (indices, seed, epoch) => {
    asked.push([[...indices], seed, epoch]);
    return Int32Array.of(1, 2, 0);
  };
  const part = new DataSource(ordered, Int32Array.of(3, 5, 7), { imageSize: 32, preprocessing: 'none' });
  expect([...(part.order(9, 2) ?? [])]).toEqual([1, 2, 0]);
  expect(asked).toEqual([[[3, 5, 7], 9, 2]]);
  expect(source({}).order(9, 2)).toBeUndefined();
});
