// Layers by name: which dispatches of a step, eager or replayed, come from which layer and pass.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { register } from '../backend/register.ts';
import type { ThawBackend } from '../backend/thaw-backend.ts';
import type { DispatchTime } from '../runtime/profile.ts';
import { random } from '../testing/compare.ts';
import { gpu } from '../testing/device.ts';
import { accumulate, capture, dense, layer } from './index.ts';

let backend: ThawBackend;
beforeAll(async () => {
  backend = register(gpu.device);
  await tf.setBackend('thaw');
});

/** Gradients of the sum of relu(x w1) w2, both layers inside 'net', and a sum of squares outside. */
function makeStep() {
  const x = tf.tensor2d(random(6 * 4, 1), [6, 4]);
  const [w1, w2] = [tf.variable(tf.tensor2d(random(20, 2), [4, 5])), tf.variable(tf.tensor2d(random(15, 3), [5, 3]))];
  const [b1, b2] = [tf.zeros<tf.Rank.R1>([5]), tf.zeros<tf.Rank.R1>([3])];
  const step = (): [] => {
    const { value, grads } = tf.variableGrads(
      () =>
        layer('net', () => {
          const h = layer('first', () => dense(x, w1 as tf.Tensor2D, b1, { relu: true }));
          const y = layer('second', () => dense(h, w2 as tf.Tensor2D, b2, { relu: false }));
          return tf.sum(y);
        }),
      [w1, w2],
    );
    tf.dispose([value, tf.square(value), ...Object.values(grads)]);
    return [];
  };
  return { step, dispose: () => tf.dispose([x, w1, w2, b1, b2]) };
}

const places = (times: readonly DispatchTime[]): string[] =>
  times.map(({ kernel, from }) => `${from ? `${from.layer} ${from.pass}` : 'outside'}: ${kernel}`);

test('a dispatch comes from the innermost layer, and so do those of its gradients', async () => {
  const { step, dispose } = makeStep();
  const eager = places(await backend.profile(() => Promise.resolve(void step())));
  const captured = await capture(step);
  const replayed = places(await backend.profile(() => Promise.resolve(captured.replay())));
  expect(replayed).toEqual(eager);
  expect(eager.filter((place) => /dense|conv2d/.test(place))).toEqual([
    'first forward: conv2d', // a dense layer is a convolution of one pixel
    'second forward: conv2d',
    'second backward: dense-backward-weights',
    'second backward: dense-backward-input',
    'first backward: dense-backward-weights',
  ]);
  expect(eager.filter((place) => place.startsWith('net forward'))).not.toEqual([]);
  expect(eager.at(-1)).toBe('outside: unary');
  captured.dispose();
  dispose();
});

test('a profile counts the bytes of each tensor once, and what it changes in place twice', async () => {
  const { step, dispose } = makeStep();
  const times = await backend.profile(() => Promise.resolve(void step()));
  const bytesOf = (kernel: string): number | undefined => times.find((one) => one.kernel === kernel)?.bytes;
  // x 6 x 4, w1 4 x 5, b1 5, y 6 x 5; storage is in vectors of four floats.
  expect(bytesOf('conv2d')).toBe(4 * (24 + 20 + 8 + 32));
  const initial = tf.zeros([3]);
  const sum = tf.variable(initial, false);
  initial.dispose();
  const one = tf.ones([3]);
  const [added] = await backend.profile(() => Promise.resolve(accumulate(sum, one)));
  expect(added?.bytes).toBe(4 * (4 + 2 * 4));
  tf.dispose([sum, one]);
  expect(times.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  dispose();
});

test('another backend computes the same without names', async () => {
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  const y = layer('any', () => tf.square(tf.scalar(3)));
  expect([...(await y.data())]).toEqual([9]);
  await tf.setBackend('thaw');
});
