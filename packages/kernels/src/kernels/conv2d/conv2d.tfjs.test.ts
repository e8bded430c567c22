/** Conv2D, its gradients and matMul through TensorFlow.js: attributes mean what they mean on tfjs-cpu. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { conv2d } from '../../ops/conv2d.ts';
import { expectLikeCpu } from '../../testing/against-cpu.ts';
import { random, sumBound } from '../../testing/compare.ts';

const expectSame = (f: () => tf.Tensor[], terms: number): Promise<void> =>
  expectLikeCpu(f, { bound: 2 * sumBound(terms) });

const x = () => tf.tensor4d(random(2 * 7 * 9 * 3, 1), [2, 7, 9, 3]);
const w = (k = 3) => tf.tensor4d(random(k * k * 3 * 5, 2), [k, k, 3, 5]);

test.each([
  ['same', 2, 1],
  ['valid', 2, 1],
  ['same', 1, 2],
  ['valid', [2, 1], 1],
  [1, 1, 1],
  [
    [
      [0, 0],
      [2, 1],
      [0, 3],
      [0, 0],
    ],
    2,
    1,
  ],
] as const)('conv2d, pad %j, strides %j, dilations %j', async (pad, strides, dilations) => {
  // prettier-ignore
  const p = pad as 'same';
  await expectSame(() => [tf.conv2d(x(), w(), strides as number, p, 'NHWC', dilations)], 27);
  if (dilations === 1)
    await expectSame(
      () => {
        const { grads } = tf.valueAndGrads((a, b) =>
          tf.sum(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides as number, p)),
        )([x(), w()]);
        return grads;
      },
      2 * 7 * 9,
    );
});

test('the fused op and every gradient of it', async () => {
  await expectSame(
    () => {
      const inputs = [x(), w(), tf.tensor1d(random(5, 3)), tf.tensor4d(random(2 * 4 * 5 * 5, 4), [2, 4, 5, 5])];
      const f = (a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor, residual: tf.Tensor) =>
      conv2d(a as tf.Tensor4D, b as tf.Tensor4D, { strides: [2, 2], pad: [[1, 1], [1, 1]], bias: bias as tf.Tensor1D, residual: residual as tf.Tensor4D, relu: true }); // prettier-ignore
      const y = f(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]));
      const { grads } = tf.valueAndGrads((...all) => tf.sum(f(...(all as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]))))(inputs); // prettier-ignore
      return [y, ...grads];
    },
    2 * 4 * 5 * 2,
  );
});

test('a frozen filter gets no gradient computed, and nothing leaks', async () => {
  await tf.setBackend('thaw');
  const before = tf.memory().numTensors;
  const run = vi.spyOn(tf.engine(), 'runKernel');
  tf.tidy(() => {
    const frozen = w();
    const bias = tf.variable(tf.tensor1d(random(5, 3)));
    const { grads } = tf.variableGrads(() => tf.sum(conv2d(x(), frozen, { strides: [1, 1], pad: [[1, 1], [1, 1]], bias }))); // prettier-ignore
    expect(Object.keys(grads)).toEqual([bias.name]);
    bias.dispose();
  });
  const kernels = run.mock.calls.map(([name]) => name);
  run.mockRestore();
  expect(kernels).toContain('ThawConv2D');
  expect(kernels).not.toContain('Conv2DBackpropFilter');
  expect(kernels).not.toContain('Conv2DBackpropInput');
  expect(tf.memory().numTensors).toBe(before);
});

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('matMul transposeA %s transposeB %s and its gradient', async (ta, tb) => {
  // prettier-ignore
  const a = () => tf.tensor2d(random(7 * 5, 1), ta ? [5, 7] : [7, 5]);
  const b = () => tf.tensor2d(random(5 * 3, 2), tb ? [3, 5] : [5, 3]);
  await expectSame(() => {
    const { grads } = tf.valueAndGrads((p, q) => tf.sum(tf.matMul(p as tf.Tensor2D, q as tf.Tensor2D, ta, tb)))([a(), b()]); // prettier-ignore
    return [tf.matMul(a(), b(), ta, tb), ...grads];
  }, 7);
});

test('NCHW is refused with the remedy', async () => {
  await tf.setBackend('thaw');
  expect(() =>
    tf.tidy(() => tf.conv2d(tf.zeros<tf.Rank.R4>([1, 3, 8, 8]), tf.zeros<tf.Rank.R4>([1, 1, 3, 2]), 1, 'same', 'NCHW')),
  ).toThrow('transpose the input to NHWC');
});
