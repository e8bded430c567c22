// Max-pooling and its gradient against tfjs-cpu, for every way of padding; ties and negative values everywhere.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { toFloat16 } from '../../ops/to-float16.ts';
import { expectClose, randomIntegers, storedBound } from '../../testing/compare.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions, type Draw } from '../../testing/precisions.ts';
import { planMaxPool, planMaxPoolBackward, type PoolShape } from './max-pool.plan.ts';

type Pad = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
interface PoolCase {
  readonly name: string;
  readonly shape: [number, number, number, number];
  readonly size: [number, number];
  readonly strides: [number, number];
  readonly pad: Pad;
}
const cases: PoolCase[] = [
  { name: 'one of everything', shape: [1, 1, 1, 1], size: [1, 1], strides: [1, 1], pad: 'valid' },
  { name: 'primes, same', shape: [3, 7, 11, 5], size: [3, 2], strides: [2, 3], pad: 'same' },
  { name: 'overlapping windows, valid', shape: [2, 13, 9, 3], size: [5, 3], strides: [1, 1], pad: 'valid' },
  { name: 'windows with gaps between', shape: [1, 11, 11, 7], size: [2, 2], strides: [3, 3], pad: 'valid' },
  {
    name: 'uneven explicit padding',
    shape: [2, 7, 8, 3],
    size: [3, 3],
    strides: [2, 2],
    pad: [
      [0, 0],
      [0, 1],
      [2, 0],
      [0, 0],
    ],
  },
  {
    name: 'ResNet stem, symmetric',
    shape: [1, 56, 56, 64],
    size: [3, 3],
    strides: [2, 2],
    pad: [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ],
  },
  { name: 'ResNet stem at 32x32, same', shape: [4, 16, 16, 64], size: [3, 3], strides: [2, 2], pad: 'same' },
];

beforeAll(() => {
  register(gpu.device);
});

async function pool(
  backend: string,
  { shape, size, strides, pad }: PoolCase,
  draw: Draw,
  stored: <T extends tf.Tensor>(x: T) => T = (x) => x,
): Promise<[Float32Array, Float32Array]> {
  await tf.setBackend(backend);
  const values = Float32Array.from(randomIntegers(tf.util.sizeFromShape(shape), 5, 1), (v) => v - 7);
  const x = stored(tf.tensor4d(values, shape));
  const y = tf.maxPool(x, size, strides, pad);
  const dy = stored(tf.tensor4d(draw(y.size, 2), y.shape));
  const attributes = { filterSize: size, strides, pad };
  const dx = tf.engine().runKernel<tf.Tensor>('MaxPoolGrad', { dy, input: x, output: y }, attributes);
  return [Float32Array.from(await y.data()), Float32Array.from(await dx.data())];
}

describePrecisions((precision, draw) => {
  test.each(cases)('max-pool $name', async (poolCase) => {
    const [y, dx] = await pool('cpu', poolCase, draw);
    const [gotY, gotDx] = await pool('thaw', poolCase, draw, precision === 'float16' ? toFloat16 : undefined);
    expectClose(gotY, y, 0);
    // At most 15 windows share a pixel; both sides add them in float32, in their own order.
    expectClose(gotDx, dx, storedBound(dx, 2 * 15 * 15 * 2 ** -24, precision));
  });
});

// Runs of pixels that end in mid-row, in mid-image and past the end, and four channels to a thread, which a GPU gets; the tests
// above run the device's own tiling alone.
describePrecisions((precision, draw) => {
  test.each([
    [5, { THREADS: 128, PER_THREAD: 4 }],
    [5, { THREADS: 8, PER_THREAD: 1 }],
    [5, { THREADS: 16, PER_THREAD: 7 }],
    [5, {}],
    [20, {}],
    [64, {}],
  ])('max-pool and its gradient, %i channels, tuning %j', async (channels, tuning) => {
    const poolCase: PoolCase = { name: '', shape: [3, 7, 11, channels], size: [3, 2], strides: [2, 3], pad: 'valid' };
    const shape: PoolShape = { batch: 3, channels, inH: 7, inW: 11, outH: 3, outW: 4, filterH: 3, filterW: 2, strideH: 2, strideW: 3, dilationH: 1, dilationW: 1, padTop: 0, padLeft: 0 }; // prettier-ignore
    const x = Float32Array.from(randomIntegers(3 * 7 * 11 * channels, 5, 1), (v) => v - 7);
    const dy = draw(3 * 3 * 4 * channels, 2);
    const [wantY, want] = await pool('cpu', poolCase, draw);
    const { y } = await runPlans([planMaxPool(shape, gpu.limits, tuning, precision)], { x });
    expectClose(y ?? [], wantY, 0);
    const { dx } = await runPlans(planMaxPoolBackward(shape, gpu.limits, tuning, precision), { x, dy });
    // At most two windows share a pixel.
    expectClose(dx ?? [], want, storedBound(want, 2 * 2 * 2 ** -24, precision));
  });
});

test('a batch too large to bind is refused by name', () => {
  const shape: PoolShape = {
    batch: 1024,
    channels: 64,
    inH: 112,
    inW: 112,
    outH: 56,
    outW: 56,
    filterH: 3,
    filterW: 3,
    strideH: 2,
    strideW: 2,
    dilationH: 1,
    dilationW: 1,
    padTop: 1,
    padLeft: 1,
  };
  const limits = { ...defaultLimits, maxStorageBufferBindingSize: 2 ** 27 };
  expect(() => planMaxPool(shape, limits)).toThrow(/^max-pool: x \[1024, 112, 112, 64\] takes/);
});

test('a window of minus infinities yields minus infinity', async () => {
  const shape: PoolShape = {
    batch: 1,
    channels: 1,
    inH: 2,
    inW: 2,
    outH: 1,
    outW: 1,
    filterH: 2,
    filterW: 2,
    strideH: 2,
    strideW: 2,
    dilationH: 1,
    dilationW: 1,
    padTop: 0,
    padLeft: 0,
  };
  const { y } = await runPlans([planMaxPool(shape, gpu.limits)], { x: new Float32Array(4).fill(-Infinity) });
  expectClose(y ?? [], [-Infinity], 0);
});
