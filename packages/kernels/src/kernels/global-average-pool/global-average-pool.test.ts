// The mean over an image's pixels and its gradient against float64.
import { expect, test } from 'vitest';
import { elements } from '../../runtime/plan.ts';
import { EPSILON, expectClose, random, storedBound, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { planGlobalAveragePool, planGlobalAveragePoolBackward, type ImageShape } from './global-average-pool.plan.ts';

describePrecisions((precision, draw) => {
  test.each<{ shape: ImageShape }>([
    { shape: [1, 1, 1, 1] },
    { shape: [3, 5, 7, 11] },
    { shape: [2, 7, 7, 2048] },
    { shape: [32, 1, 1, 2048] },
  ])('global-average-pool of $shape', async ({ shape }) => {
    const [batch, height, width, channels] = shape;
    const pixels = height * width;
    const [x, dy] = [draw(elements(shape), 1), random(batch * channels, 2)];
    const { y } = await runPlans([planGlobalAveragePool(shape, gpu.limits, precision)], { x });
    const want = new Float64Array(batch * channels);
    x.forEach((v, i) => {
      const o = Math.floor(i / (pixels * channels)) * channels + (i % channels);
      want[o] = (want[o] ?? NaN) + v / pixels;
    });
    expectClose(y ?? [], want, sumBound(pixels) / pixels + 4 * EPSILON);
    const { dx } = await runPlans([planGlobalAveragePoolBackward(shape, gpu.limits, precision)], { dy });
    const wantDx = Array.from(
      x,
      (_, i) => (dy[Math.floor(i / (pixels * channels)) * channels + (i % channels)] ?? NaN) / pixels,
    );
    expectClose(dx ?? [], wantDx, storedBound(wantDx, 4 * EPSILON, precision));
  });
});

test('an image without pixels is refused', () => {
  expect(() => planGlobalAveragePool([1, 0, 7, 3], gpu.limits)).toThrow(/at least one pixel/);
});
