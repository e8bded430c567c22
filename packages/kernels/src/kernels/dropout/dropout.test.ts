// Dropout against its definition, its share of zeros, and its gradient.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { dropout, HostVector } from '../../ops/index.ts';
import { EPSILON, expectClose, random } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planDropout } from './dropout.plan.ts';
import { dropoutReference } from './dropout.ref.ts';

test.each([
  [1, 0.5, 0, 0],
  [997, 0.25, 1, -7],
  [4099, 0.9, 3, 2 ** 31 - 1],
])('%i elements, rate %f, salt %i, seed %i', async (size, rate, salt, seed) => {
  const x = random(size, 1);
  const { y } = await runPlans([planDropout([size], rate, salt, gpu.limits)], { x, seed: Int32Array.of(seed) });
  // The scale is rounded once, the product once: of values of size at most 1 / (1 - rate).
  expectClose(y ?? [], dropoutReference(x, rate, salt, seed), (4 * EPSILON) / (1 - rate));
});

test('the share of zeros is the rate, and seeds and salts are independent', async () => {
  const size = 2 ** 16;
  const x = new Float32Array(size).fill(1);
  const mask = async (salt: number, seed: number): Promise<boolean[]> => {
    const { y } = await runPlans([planDropout([size], 0.25, salt, gpu.limits)], { x, seed: Int32Array.of(seed) });
    return Array.from(y ?? [], (v) => v === 0);
  };
  const masks = [await mask(0, 1), await mask(1, 1), await mask(0, 2)];
  const share = (both: (i: number) => boolean): number => masks[0]!.filter((_, i) => both(i)).length / size;
  // Five standard deviations of a binomial share.
  const within = (p: number): number => 5 * Math.sqrt((p * (1 - p)) / size);
  for (const one of masks) expect(Math.abs(share((i) => one[i]!) - 0.25)).toBeLessThan(within(0.25));
  for (const other of masks.slice(1))
    expect(Math.abs(share((i) => masks[0]![i]! && other[i]!) - 0.0625)).toBeLessThan(within(0.0625));
});

describe('through the op', () => {
  beforeAll(async () => {
    register(gpu.device);
    await tf.setBackend('thaw');
  });

  test('the gradient has the mask of the forward pass', async () => {
    const seed = new HostVector([5], 'int32');
    const x = tf.ones([40]);
    const y = dropout(x, { rate: 0.5, salt: 2 }, seed);
    const dx = tf.grad((v) => tf.sum(dropout(v, { rate: 0.5, salt: 2 }, seed)))(x);
    expectClose(await dx.data(), await y.data(), 0);
    expect(new Set(await y.data())).toEqual(new Set([0, 2]));
    seed.dispose();
  });

  test('a rate of 1 is refused', () => {
    const seed = new HostVector([5], 'int32');
    expect(() => dropout(tf.ones([4]), { rate: 1, salt: 0 }, seed)).toThrow(
      'dropout: the rate must be in [0, 1), got 1',
    );
  });
});
