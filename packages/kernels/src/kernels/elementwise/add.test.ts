// Sums of two tensors of one shape in both precisions, and what the general kernels make of tensors stored in float16.
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { toFloat16 } from '../../ops/index.ts';
import { backend } from '../../testing/against-cpu.ts';
import { EPSILON, expectClose, randomHalves, storedBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions, hasHalf } from '../../testing/precisions.ts';
import { planAdd } from './elementwise.plan.ts';

describePrecisions((precision, draw) => {
  test.each([1, 5, 4099, 2 * 14 * 14 * 64])('the sum of %i elements', async (size) => {
    const [a, b] = [draw(size, 1), draw(size, 2)];
    const { c } = await runPlans([planAdd([size], gpu.limits, {}, precision)], { a, b });
    const want = Float64Array.from(a, (v, i) => v + b[i]!);
    expectClose(c ?? [], want, storedBound(want, 2 * EPSILON, precision));
  });
});

describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  beforeEach(() => tf.setBackend('thaw'));
  const wide = (seed: number, shape = [3, 5]) => tf.tensor(randomHalves(tf.util.sizeFromShape(shape), seed), shape);
  const half = (seed: number) => toFloat16(wide(seed));
  const storedIn = (f: () => tf.Tensor) => tf.tidy(() => backend.precisionOf(f()));

  test('a sum of halves of one shape is one of halves, every other sum float32', async () => {
    expect(storedIn(() => tf.add(half(1), half(2)))).toBe('float16');
    expect(storedIn(() => tf.addN([half(1), half(2), half(3)]))).toBe('float16');
    expect(storedIn(() => tf.add(half(1), wide(2)))).toBe('float32');
    expect(storedIn(() => tf.add(half(1), wide(2, [5])))).toBe('float32');
    expect(storedIn(() => tf.sub(half(1), half(2)))).toBe('float32');
    // Multiples of 2^-10 below 4: float32 holds the sums, whatever the order of the operands.
    const want = await tf.add(wide(1), wide(2)).data();
    expectClose(await tf.add(half(1), wide(2)).data(), want, 0);
    expectClose(await tf.add(wide(1), half(2)).data(), want, 0);
  });

  test('another shape, and a clone, of a half is one', async () => {
    for (const f of [
      (x: tf.Tensor) => tf.reshape(x, [5, 3]),
      (x: tf.Tensor) => tf.expandDims(x, 1),
      (x: tf.Tensor) => tf.clone(x),
      (x: tf.Tensor) => tf.cast(x, 'float32'),
    ]) {
      expect(storedIn(() => f(half(1)))).toBe('float16');
      expectClose(await f(half(1)).data(), await wide(1).data(), 0);
    }
  });

  test('it is not changed in place by a kernel of float32', () => {
    expect(() =>
      tf.tidy(() => tf.engine().runKernel('ThawAccumulate', { sum: half(1), x: wide(2) }, { scale: 1 })),
    ).toThrow("accumulate: 'sum' is stored in float16 and changed in place as float32");
  });
});
