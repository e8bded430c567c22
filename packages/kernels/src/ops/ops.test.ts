// The composed form of the ops on tfjs-cpu against hand-worked and float64 values.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerCoreGradients } from '../gradients/core-gradients.ts';
import {
  adamRates,
  adamStep,
  batchNormTrain,
  conv2d,
  dense,
  globalAveragePool,
  maxPool2d,
  scaleShift,
  sgdStep,
  softmaxCrossEntropy,
} from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerCoreGradients();
});

async function values(tensor: tf.Tensor): Promise<number[]> {
  return [...(await tensor.data())];
}

function expectClose(got: number[], want: number[], tolerance = 1e-6): void {
  expect(got).toHaveLength(want.length);
  got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(tolerance));
}

test('conv2d: padding, stride, bias, residual and ReLU, in this order', async () => {
  // One channel, 3x3 image 1..9, 2x2 filter of ones, stride 2, one pixel of padding at the top and the left:
  // windows {1}, {2,3}, {4,7}, {5,6,8,9} -> 1, 5, 11, 28.
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const filter = tf.ones<tf.Rank.R4>([2, 2, 1, 1]);
  const options = {
    strides: [2, 2] as [number, number],
    pad: [
      [1, 0],
      [1, 0],
    ] as [[number, number], [number, number]],
  };
  expectClose(await values(conv2d(x, filter, options)), [1, 5, 11, 28]);
  const bias = tf.tensor1d([-6]);
  expectClose(await values(conv2d(x, filter, { ...options, bias, relu: true })), [0, 0, 5, 22]);
  const residual = tf.tensor4d([10, -10, -10, 1], [1, 2, 2, 1]);
  expectClose(await values(conv2d(x, filter, { ...options, bias, residual, relu: true })), [5, 0, 0, 23]);
});

test('conv2d: a residual of another shape is refused', () => {
  const x = tf.ones<tf.Rank.R4>([1, 3, 3, 1]);
  const residual = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
  const options = {
    strides: [1, 1] as [number, number],
    pad: [
      [0, 0],
      [0, 0],
    ] as [[number, number], [number, number]],
  };
  expect(() => conv2d(x, tf.ones([1, 1, 1, 1]), { ...options, residual })).toThrow(/residual must have the output/);
});

test('scaleShift: relu(x * scale + shift + residual)', async () => {
  const x = tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]);
  const scale = tf.tensor1d([2, -1]);
  const shift = tf.tensor1d([0.5, 1]);
  expectClose(await values(scaleShift(x, scale, shift)), [2.5, -1, 6.5, -3]);
  const residual = tf.tensor4d([-3, 3, 0, 0], [1, 1, 2, 2]);
  expectClose(await values(scaleShift(x, scale, shift, { residual, relu: true })), [0, 2, 6.5, 0]);
});

describe('batchNormTrain', () => {
  test('normalises on biased batch statistics', async () => {
    const x = tf.tensor4d([1, 2, 3, 4], [2, 1, 2, 1]); // mean 2.5, biased variance 1.25
    const { y, mean, variance } = batchNormTrain(x, tf.tensor1d([2]), tf.tensor1d([1]), { epsilon: 0, relu: true });
    expectClose(await values(mean), [2.5]);
    expectClose(await values(variance), [1.25]);
    expectClose(
      await values(y),
      [1, 2, 3, 4].map((v) => Math.max(0, (2 * (v - 2.5)) / Math.sqrt(1.25) + 1)),
    );
  });

  test('a mean of 1e4 does not drown a variance of 1e-2', async () => {
    const pixels = Float32Array.from({ length: 64 }, (_, i) => 1e4 + (i % 2 === 0 ? 0.1 : -0.1));
    const exact = [...pixels].map(Number);
    const mean64 = exact.reduce((a, b) => a + b) / 64;
    const variance64 = exact.reduce((a, b) => a + (b - mean64) ** 2, 0) / 64;
    const { variance } = batchNormTrain(tf.tensor4d(pixels, [1, 8, 8, 1]), tf.ones([1]), tf.zeros([1]), {
      epsilon: 1e-5,
    });
    // The float32 mean is off by up to half a unit in the last place of 1e4 (2^-11), which enters squared.
    expectClose(await values(variance), [variance64], 2 ** -22 + variance64 * 1e-5);
  });

  test('gradients by finite differences; statistics carry none', async () => {
    const weights = tf.tensor4d([0.3, -1, 0.7, 2, -0.4, 0.9], [3, 1, 1, 2]);
    const point = [0.5, 1.5, -0.2, 0.4, 1.1, -0.7];
    const gamma = tf.variable(tf.tensor1d([1.3, 0.6]));
    const x = tf.variable(tf.tensor4d(point, [3, 1, 1, 2]));
    const loss = (): tf.Scalar => {
      const { y, mean, variance } = batchNormTrain(x, gamma, tf.tensor1d([0.1, -0.2]), {
        epsilon: 1e-3,
      });
      const statistics = tf.add(tf.sum(mean), tf.sum(variance));
      return tf.add<tf.Scalar>(tf.sum(tf.mul(tf.square(y), weights)), tf.mul(statistics, 100));
    };
    const { grads } = tf.variableGrads(loss, [x, gamma]);
    const analytic = await values(grads[x.name]!);
    // The same function in float64, without the statistics' terms.
    const f = (p: number[]): number => {
      let sum = 0;
      for (const c of [0, 1]) {
        const column = [0, 1, 2].map((n) => p[n * 2 + c]!);
        const mean = column.reduce((a, b) => a + b) / 3;
        const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / 3;
        column.forEach((value, n) => {
          const y = ([1.3, 0.6][c]! * (value - mean)) / Math.sqrt(variance + 1e-3) + [0.1, -0.2][c]!;
          sum += y * y * [0.3, -1, 0.7, 2, -0.4, 0.9][n * 2 + c]!;
        });
      }
      return sum;
    };
    const numeric = point.map((_, i) => {
      const at = (step: number): number => f(point.map((v, j) => (j === i ? v + step : v)));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    expectClose(analytic, numeric, 1e-4);
  });
});

test('maxPool2d: padding never wins', async () => {
  const x = tf.tensor4d([-1, -2, -3, -4], [1, 2, 2, 1]);
  const y = maxPool2d(x, {
    size: [3, 3],
    strides: [2, 2],
    pad: [
      [1, 1],
      [1, 1],
    ],
  });
  expect(y.shape).toEqual([1, 1, 1, 1]);
  expectClose(await values(y), [-1]);
});

test('globalAveragePool and dense', async () => {
  expectClose(await values(globalAveragePool(tf.tensor4d([1, 2, 3, 6], [1, 2, 1, 2]))), [2, 4]);
  const y = dense(
    tf.tensor2d([[1, 2]]),
    tf.tensor2d([
      [1, -1],
      [1, -1],
    ]),
    tf.tensor1d([0.5, 1]),
    { relu: true },
  );
  expectClose(await values(y), [3.5, 0]);
});

describe('softmaxCrossEntropy', () => {
  test('value and gradient', async () => {
    const logits = tf.variable(
      tf.tensor2d([
        [0, Math.log(3)],
        [1000, 0],
      ]),
    );
    const labels = tf.tensor1d([1, 1], 'int32');
    expectClose(await values(softmaxCrossEntropy(logits, labels)), [Math.log(4 / 3), 1000], 1e-4);
    const { grads } = tf.variableGrads(() => tf.sum(softmaxCrossEntropy(logits as tf.Tensor2D, labels)), [logits]);
    expectClose(await values(grads[logits.name]!), [0.25, -0.25, 1, -1]);
  });

  test('float labels and a wrong number of labels are refused', () => {
    expect(() => softmaxCrossEntropy(tf.ones([2, 3]), tf.tensor1d([0, 1]))).toThrow(/must be int32, got float32/);
    expect(() => softmaxCrossEntropy(tf.ones([2, 3]), tf.tensor1d([0], 'int32'))).toThrow(/1 labels for 2 rows/);
  });
});

describe('optimizer steps', () => {
  test('Adam: two steps with decoupled weight decay against float64', async () => {
    const o = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 };
    let state: { value: tf.Tensor; m: tf.Tensor; v: tf.Tensor } = {
      value: tf.tensor1d([1]),
      m: tf.zeros([1]),
      v: tf.zeros([1]),
    };
    let [value, m, v] = [1, 0, 0];
    for (const [i, g] of [0.5, -0.2].entries()) {
      const rates = tf.tensor1d(adamRates({ ...o, step: i + 1 }));
      state = adamStep({ ...state, gradient: tf.tensor1d([g]), rates }, o);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const corrected = (0.1 * Math.sqrt(1 - 0.999 ** (i + 1))) / (1 - 0.9 ** (i + 1));
      value = value * (1 - 0.001) - (corrected * m) / (Math.sqrt(v) + 1e-7);
    }
    expectClose(await values(state.value), [value], 1e-6);
    expectClose(await values(state.v), [v], 1e-9);
  });

  test('SGD: plain, momentum, Nesterov, weight decay', async () => {
    const value = tf.tensor1d([1]);
    const gradient = tf.tensor1d([2]);
    const velocity = tf.tensor1d([1]);
    const rates = tf.tensor1d([0.1]);
    const step = async (o: { momentum: number; nesterov?: boolean; weightDecay?: number }): Promise<number[]> => {
      const tensors = o.momentum === 0 ? { value, gradient, rates } : { value, gradient, rates, velocity };
      return values(sgdStep(tensors, o).value);
    };
    expectClose(await step({ momentum: 0 }), [0.8]);
    expectClose(await step({ momentum: 0, weightDecay: 0.5 }), [0.75]);
    expectClose(await step({ momentum: 0.9 }), [1 - 0.1 * 2.9]);
    expectClose(await step({ momentum: 0.9, nesterov: true }), [1 - 0.1 * (2 + 0.9 * 2.9)]);
    expect(() => sgdStep({ value, gradient, rates }, { momentum: 0.9 })).toThrow(/needs a velocity/);
  });
});
