/** Conv2D, its gradients and matMul through TensorFlow.js: attributes mean what they mean on tfjs-cpu. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test, vi } from 'vitest';
import { conv2d, type Padding } from '../../ops/conv2d.ts';
import { toFloat16 } from '../../ops/to-float16.ts';
import { backend, expectLikeCpu } from '../../testing/against-cpu.ts';
import { random, randomHalves, sumBound } from '../../testing/compare.ts';
import { hasHalf } from '../../testing/precisions.ts';

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

describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  const stored = (tensor: tf.Tensor) => backend.precisionOf(tensor);
  const same = { strides: [1, 1] as [number, number], pad: [[1, 1], [1, 1]] as Padding }; // prettier-ignore

  test('y is stored as x is, dx as dy, and the gradient of the filter in float32', async () => {
    await tf.setBackend('thaw');
    tf.tidy(() => {
      const [half, filter] = [toFloat16(x()), w()];
      const run = (a: tf.Tensor, b: tf.Tensor) => conv2d(a as tf.Tensor4D, b as tf.Tensor4D, same);
      const y = run(half, filter);
      expect(stored(y)).toBe('float16');
      expect(stored(run(x(), toFloat16(filter)))).toBe('float32');
      const [dx, dw] = tf.grads(run)([half, toFloat16(filter)], toFloat16(tf.onesLike(y)));
      expect([dx!, dw!].map(stored)).toEqual(['float16', 'float32']);
      const [wideDx] = tf.grads(run)([half, filter], tf.onesLike(y));
      expect(stored(wideDx!)).toBe('float32');
    });
  });

  test('a tensor of the other precision is converted, and only the one that may be', async () => {
    await tf.setBackend('thaw');
    const [a, b, dy] = [tf.tensor4d(randomHalves(2 * 7 * 9 * 3, 1), [2, 7, 9, 3]), w(), tf.tensor4d(random(2 * 7 * 9 * 5, 3), [2, 7, 9, 5])]; // prettier-ignore
    const attributes = { strides: 1, pad: 1, dataFormat: 'NHWC', filterShape: b.shape };
    const gradient = (input: tf.Tensor) => tf.engine().runKernel<tf.Tensor>('Conv2DBackpropFilter', { x: input, dy }, attributes).data(); // prettier-ignore
    // x holds halves, so nothing is lost; dy is not rounded to go with it.
    expect(await gradient(toFloat16(a))).toEqual(await gradient(a));
    // A float32 filter is rounded to go with x.
    const rounded = tf.tensor4d(Float32Array.from(await toFloat16(b).data()), b.shape);
    const forward = (filter: tf.Tensor4D) => conv2d(toFloat16(a), filter, same).data();
    expect(await forward(b)).toEqual(await forward(rounded));
  });
});
