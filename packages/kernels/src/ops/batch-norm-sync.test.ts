// Batch-norm over processes: with the host saying that there is one alone, it is batchNormTrain; with others, what those add.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { register } from '../backend/register.ts';
import { batchNormGradReference, batchNormReference } from '../kernels/batch-norm-train/batch-norm-train.ref.ts';
import { random } from '../testing/compare.ts';
import { gpu } from '../testing/device.ts';
import { accumulate, batchNormSync, capture, type BatchNormSync } from './index.ts';

beforeAll(async () => {
  register(gpu.device);
  await tf.setBackend('thaw');
});

const variable = <R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> => {
  const made = tf.variable(initial, false);
  initial.dispose();
  return made;
};

/** The other process has the same rows again: means stay, sums double and are halved by the share. */
const twin: BatchNormSync = {
  statistics: (rows, channels) => async (given, result) => {
    await Promise.resolve();
    const [from, to] = [new Float32Array(given), new Float32Array(result)];
    to.set(from.subarray(0, 2 * channels));
    for (let c = 0; c < channels; c++) to[2 * channels + c] = ((from[channels + c] ?? 0) * 2 * rows) / (2 * rows - 1);
  },
  sums: (_, channels) => async (given, result) => {
    await Promise.resolve();
    new Float32Array(result).set(new Float32Array(given, 0, 2 * channels));
  },
};

test.each([
  [true, true],
  [false, false],
])('forward and gradients with ReLU %s and residual %s, against float64', async (relu, hasResidual) => {
  const [shape, channels, rows] = [[2, 3, 4, 5] as [number, number, number, number], 5, 24];
  const values = { x: random(rows * channels, 1), gamma: random(5, 2), beta: random(5, 3), residual: random(rows * channels, 4), dy: random(rows * channels, 5) }; // prettier-ignore
  const x = variable(tf.tensor4d(values.x, shape));
  const residual = variable(tf.tensor4d(values.residual, shape));
  const [gamma, beta] = [variable(tf.tensor1d(values.gamma)), variable(tf.tensor1d(values.beta))];
  const dy = variable(tf.tensor4d(values.dy, shape));
  const moving = { mean: variable(tf.zeros<tf.Rank.R1>([5])), variance: variable(tf.ones<tf.Rank.R1>([5])), momentum: 0.9 }; // prettier-ignore
  const sums = [x, gamma, beta, residual, x].map(({ shape }) => variable(tf.zeros(shape)));
  const step = await capture(() => {
    tf.tidy(() => {
      const given: tf.Tensor[] = [x, gamma, beta, ...(hasResidual ? [residual] : [])];
      const run = (): tf.Tensor => batchNormSync(x, gamma, beta, { epsilon: 1e-3, relu, moving, ...(hasResidual && { residual }) }, twin); // prettier-ignore
      const { value, grads } = tf.engine().gradients(run, given, dy, true);
      grads.forEach((gradient, i) => {
        const sum = sums[i];
        if (sum) accumulate(sum, gradient);
      });
      const sum = sums[4];
      if (sum) accumulate(sum, value);
    });
    return [];
  });
  await step.replayThroughHost();
  const reference = { rows, channels, epsilon: 1e-3, relu, x: values.x, gamma: values.gamma, beta: values.beta, residual: hasResidual ? values.residual : undefined }; // prettier-ignore
  const { y, mean, variance } = batchNormReference(reference);
  const { dx, dgamma, dbeta, dresidual } = batchNormGradReference(reference, values.dy, y);
  const wanted = [dx, dgamma, dbeta, hasResidual ? dresidual : dresidual.map(() => 0), y];
  for (const [i, sum] of sums.entries()) {
    const got = await sum.data();
    wanted[i]?.forEach((value, k) => {
      expect(got[k], `${i}, ${k}`).toBeCloseTo(value, 4);
    });
  }
  const [movedMean, movedVariance] = [await moving.mean.data(), await moving.variance.data()];
  mean.forEach((value, c) => {
    expect(movedMean[c]).toBeCloseTo(0.1 * value, 5);
    expect(movedVariance[c]).toBeCloseTo(0.9 + (0.1 * (variance[c] ?? NaN) * 48) / 47, 5);
  });
  step.dispose();
  tf.dispose([x, residual, gamma, beta, dy, moving.mean, moving.variance, ...sums]);
});
