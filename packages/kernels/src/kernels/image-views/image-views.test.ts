// Views of images: by hand, against float64 on random views, and through the op beside tfjs-cpu.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { imageViews, packViews, VIEW_LENGTH, type ImageView, type Normalisation } from '../../ops/index.ts';
import { expectLikeCpu } from '../../testing/against-cpu.ts';
import { EPSILON, expectClose, random } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planImageViews } from './image-views.plan.ts';
import { imageViewsReference } from './image-views.ref.ts';

const PLAIN: Normalisation = { channels: [0, 1, 2], scale: [1, 1, 1], shift: [0, 0, 0] };
const NOTHING = { left: 0, top: 0, right: 0, bottom: 0 };
const view = (changes: Partial<ImageView>): ImageView => ({
  x0: 0, x1: 2, y0: 0, y1: 2, shearX: 0, shearY: 0, gain: 1, grey: 0, offset: 0, erased: NOTHING, ...changes,
}); // prettier-ignore

async function look(
  images: Float32Array,
  shape: readonly [number, number, number, 3],
  views: readonly ImageView[],
  side: number,
  normalisation = PLAIN,
): Promise<Float32Array> {
  const plan = planImageViews(shape, { side, ...normalisation }, gpu.limits);
  const { y } = await runPlans([plan], { images, views: packViews(views) });
  return y as Float32Array;
}

describe('by hand, on an image of 2 x 2 pixels', () => {
  // Red 0, 100 over 200, 40; green and blue the same but for 1 and 2 more.
  const image = Float32Array.from([0, 100, 200, 40].flatMap((red) => [red, red + 1, red + 2]));
  const red = async (changes: Partial<ImageView>, side = 2, normalisation = PLAIN): Promise<number[]> =>
    [...(await look(image, [1, 2, 2, 3], [view(changes)], side, normalisation))].filter((_, i) => i % 3 === 0);

  test('the whole image as it is', async () => {
    expect(await red({})).toEqual([0, 100, 200, 40]);
  });
  test('mirrored', async () => {
    expect(await red({ x0: 2, x1: 0 })).toEqual([100, 0, 40, 200]);
    expect(await red({ y0: 2, y1: 0 })).toEqual([200, 40, 0, 100]);
  });
  test('moved by one pixel: the image goes on mirrored', async () => {
    expect(await red({ x0: 1, x1: 3 })).toEqual([100, 100, 40, 40]);
    expect(await red({ x0: -1, x1: 1, y0: -1, y1: 1 })).toEqual([0, 0, 0, 0]);
    expect(await red({ x0: -2, x1: 0 })).toEqual([100, 0, 40, 200]);
  });
  test('sheared: rows go to the side, columns down', async () => {
    // The upper row's centre is a quarter of the way down: 4 pixels in all are 1 to the right there, and 3 below.
    expect(await red({ shearX: 4 })).toEqual([100, 100, 200, 200]);
    expect(await red({ shearX: 4, x0: -1, x1: 1 })).toEqual([0, 100, 40, 200]);
    expect(await red({ shearY: -4, y0: 1, y1: 3 })).toEqual([0, 40, 200, 100]);
  });
  test('turned by a quarter: columns become rows', async () => {
    // (across, down) of the view is (1 - down, across) of the image.
    expect(await red({ x0: 2, x1: 2, y0: 0, y1: 0, shearX: -2, shearY: 2 })).toEqual([100, 40, 0, 200]);
  });
  test('enlarged twice: quarters between pixel centres, the edge held', async () => {
    expect((await red({}, 4)).slice(0, 4)).toEqual([0, 25, 75, 100]);
    // The second row is a quarter of the way from the first to the second: 0.75 (0, 25, 75, 100) + 0.25 (200, 160, 80, 40).
    expect((await red({}, 4)).slice(4, 8)).toEqual([50, 58.75, 76.25, 85]);
  });
  test('shrunk to one pixel: the mean of the four around its centre', async () => {
    expect(await red({}, 1)).toEqual([85]);
  });
  test('brightness and an offset, held within 0 to 255', async () => {
    expect(await red({ gain: 2, offset: -50 })).toEqual([0, 150, 255, 30]);
  });
  test('no saturation: every channel is the luma', async () => {
    const grey = await look(image, [1, 2, 2, 3], [view({ gain: 0, grey: 1 })], 2);
    // 0.299 r + 0.587 (r + 1) + 0.114 (r + 2) = r + 0.815
    const want = [0, 100, 200, 40].flatMap((r) => [r + 0.815, r + 0.815, r + 0.815]);
    expectClose(grey, want, 3 * 256 * EPSILON);
  });
  test('erased pixels are 0 after normalisation', async () => {
    const erased = { left: 1, top: 0, right: 2, bottom: 1 };
    expect(await red({ erased }, 2, { ...PLAIN, shift: [7, 7, 7] })).toEqual([7, 0, 207, 47]);
  });
  test('channels in another order, scaled and shifted', async () => {
    const bgr: Normalisation = { channels: [2, 1, 0], scale: [1, 2, 0.5], shift: [-2, 0, 1] };
    const got = await look(image, [1, 2, 2, 3], [view({})], 2, bgr);
    expect([...got].slice(0, 6)).toEqual([0, 2, 1, 100, 202, 51]);
  });
});

/** Views of every kind, by seed, of an image [height, width]. */
function randomViews(count: number, height: number, width: number, side: number, seed: number): ImageView[] {
  const values = random(count * 13, seed);
  return Array.from({ length: count }, (_, n) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0] = values.subarray(
      13 * n,
    );
    return {
      x0: a * width, x1: width + b * width, y0: c * height, y1: height + d * height,
      shearX: 0.5 * l * width, shearY: 0.5 * m * height, gain: 1 + 0.4 * e, grey: 0.4 * f,
      offset: 40 * g,
      erased: { left: Math.round(side * h), top: Math.round(side * i), right: Math.round(side * j), bottom: Math.round(side * k) },
    }; // prettier-ignore
  });
}

test.each([
  [1, 1, 1, 1],
  [3, 5, 7, 11],
  [2, 32, 32, 96],
  [5, 31, 17, 13],
])('%i images of %i x %i seen %i wide', async (batch, height, width, side) => {
  const shape = [batch, height, width, 3] as const;
  const images = random(batch * height * width * 3, 1).map((v) => 127.5 * (v + 1));
  const views = randomViews(batch, height, width, side, 2);
  const normalisation: Normalisation = { channels: [2, 0, 1], scale: [0.02, 1, -1], shift: [-2, 100, 3] };
  const got = await look(images, shape, views, side, normalisation);
  const packed = packViews(views);
  const want = imageViewsReference(images, shape, packed, { side, ...normalisation });
  // A position below 4 lengths, after seven roundings of numbers of that size, and a slope of at most 255 a pixel in each
  // direction; then some ten roundings of colours below 700.
  const position = 7 * 4 * Math.max(height, width) * EPSILON;
  expectClose(got, want, 1.8 * 2 * 255 * position + 10 * 700 * EPSILON);
});

test('the op composed of tfjs ops does the same', async () => {
  const [batch, height, width, side] = [3, 6, 5, 7];
  const values = random(batch * height * width * 3, 3).map((v) => 127.5 * (v + 1));
  const views = packViews(randomViews(batch, height, width, side, 4));
  const bgr: Normalisation = { channels: [2, 1, 0], scale: [1, 2, 3], shift: [-100, 0, 5] };
  await expectLikeCpu(
    () => {
      const images = tf.tensor4d(values, [batch, height, width, 3]);
      return imageViews(images, tf.tensor2d(views, [batch, VIEW_LENGTH]), side, bgr);
    },
    { bound: 3 * (1.8 * 2 * 255 * 2 * 28 * 6 * EPSILON + 20 * 700 * EPSILON) },
  );
});

test('what cannot be looked at is refused', () => {
  const plan = (shape: number[], changes: object = {}) =>
    planImageViews(shape, { side: 4, ...PLAIN, ...changes }, gpu.limits);
  expect(() => plan([1, 2, 2, 1])).toThrow('images must be [batch, height, width, 3], got [1, 2, 2, 1]');
  expect(() => plan([1, 0, 2, 3])).toThrow('images of 0 x 2 have no pixel');
  expect(() => plan([1, 2, 2, 3], { side: 0.5 })).toThrow('whole number of pixels, got 0.5');
  expect(() => plan([1, 2, 2, 3], { channels: [0, 1, 3] })).toThrow('channels must be 0, 1 or 2, got 0, 1, 3');
});
