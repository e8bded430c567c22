// Average-pooling against tfjs-cpu; its gradient against tfjs-cpu where no window overhangs the image, and by the
// identity <dy, pool(x)> = <grad(dy), x> of a linear map everywhere.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { expectClose, random } from '../../testing/compare.ts';
import { gpu } from '../../testing/device.ts';

interface PoolCase {
  readonly name: string;
  readonly shape: [number, number, number, number];
  readonly size: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
}
const cases: PoolCase[] = [
  { name: 'one of everything', shape: [1, 1, 1, 1], size: [1, 1], strides: [1, 1], pad: 'valid' },
  { name: 'primes, same', shape: [3, 7, 11, 5], size: [3, 2], strides: [2, 3], pad: 'same' },
  { name: 'overlapping windows, valid', shape: [2, 13, 9, 3], size: [5, 3], strides: [1, 1], pad: 'valid' },
  { name: 'the whole of ResNet’s last image', shape: [2, 7, 7, 512], size: [7, 7], strides: [1, 1], pad: 'valid' },
];

beforeAll(() => {
  register(gpu.device);
});

async function pool(backend: string, { shape, size, strides, pad }: PoolCase): Promise<[Float32Array, Float32Array]> {
  await tf.setBackend(backend);
  const x = tf.tensor4d(random(tf.util.sizeFromShape(shape), 1), shape);
  const y = tf.avgPool(x, size, strides, pad);
  const dy = tf.tensor4d(random(y.size, 2), y.shape);
  const dx = tf.engine().runKernel<tf.Tensor>('AvgPoolGrad', { dy, input: x }, { filterSize: size, strides, pad });
  return [Float32Array.from(await y.data()), Float32Array.from(await dx.data())];
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * (b[i] ?? NaN), 0);

test.each(cases)('avg-pool $name', async (poolCase) => {
  const [y, dx] = await pool('cpu', poolCase);
  const [gotY, gotDx] = await pool('thaw', poolCase);
  // Sums of at most 49 numbers of size at most 1, divided by their count.
  expectClose(gotY, y, 49 * 2 ** -23);
  if (poolCase.pad === 'valid') expectClose(gotDx, dx, 49 * 2 ** -23);
  const left = dot(random(gotY.length, 2), gotY);
  const right = dot(gotDx, random(gotDx.length, 1));
  expect(Math.abs(left - right)).toBeLessThan(gotDx.length * 2 ** -23);
});
