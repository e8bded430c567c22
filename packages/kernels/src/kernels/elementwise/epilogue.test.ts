// tfjs's fused convolution and matrix product, every activation and every shape of bias, against tfjs-cpu.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { backend, expectLikeCpu } from '../../testing/against-cpu.ts';
import { random, sumBound } from '../../testing/compare.ts';

type Activation = NonNullable<Parameters<typeof tf.fused.conv2d>[0]['activation']>;
const activations: Activation[] = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'];
const biases = [undefined, [5], [1, 5], [1], []];

const x = (shape: number[], seed: number): tf.Tensor => tf.tensor(random(tf.util.sizeFromShape(shape), seed), shape);

function options(
  activation: Activation,
  bias: number[] | undefined,
): { activation: Activation; leakyreluAlpha: number; bias?: tf.Tensor; preluActivationWeights?: tf.Tensor } {
  return {
    activation,
    leakyreluAlpha: 0.3,
    ...(bias ? { bias: x(bias, 3) } : {}),
    ...(activation === 'prelu' ? { preluActivationWeights: x([5], 4) } : {}),
  }; // prettier-ignore
}

// Slopes of the activations are at most 1 here.
const expectSame = (f: () => tf.Tensor, terms: number): Promise<void> =>
  expectLikeCpu(f, { bound: 2 * sumBound(terms) });

for (const bias of biases) {
  test.each(activations)(`conv2d, %s, bias ${JSON.stringify(bias)}`, (activation) =>
    expectSame(() => {
      const [images, filter] = [x([2, 5, 7, 3], 1) as tf.Tensor4D, x([3, 3, 3, 5], 2) as tf.Tensor4D];
      return tf.fused.conv2d({ x: images, filter, strides: 2, pad: 'same', ...options(activation, bias) });
    }, 28),
  );
  test.each(activations)(`matMul, %s, bias ${JSON.stringify(bias)}`, (activation) =>
    expectSame(() => {
      const [a, b] = [x([7, 11], 1), x([5, 11], 2)];
      return tf.fused.matMul({ a, b, transposeB: true, ...options(activation, bias) });
    }, 12),
  );
}

test('a bias for every element of the product', () =>
  expectSame(
    () => tf.fused.matMul({ a: x([7, 11], 1), b: x([11, 5], 2), bias: x([7, 5], 3), activation: 'relu' }),
    12,
  ));

test('an activation that tfjs does not have is refused by name before anything is computed', async () => {
  await tf.setBackend('thaw');
  const before = backend.dispatchCount;
  expect(() =>
    tf.tidy(() => tf.fused.matMul({ a: x([2, 3], 1), b: x([3, 5], 2), activation: 'gelu' as Activation })),
  ).toThrow("fused matMul: activation 'gelu' is not known (linear, relu, relu6, elu, sigmoid, leakyrelu, prelu); apply it after the op"); // prettier-ignore
  expect(backend.dispatchCount).toBe(before);
});
