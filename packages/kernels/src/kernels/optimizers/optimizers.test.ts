// Optimizer steps: against float64, in place, and through the ops beside tfjs-cpu.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { adamRates, adamStep, movingAverageStep, sgdStep, swapValues } from '../../ops/index.ts';
import { EPSILON, expectClose, random } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planAdam, planMovingAverage, planSgd, planSgdPlain, planSwap } from './optimizers.plan.ts';

const sizes = [1, 997, 1024, 3 * 3 * 64 * 64];

describe.each(sizes)('%i elements', (size) => {
  const shape = [size];
  const [value, gradient, m] = [random(size, 1), random(size, 2), random(size, 3)];
  const v = random(size, 4).map(Math.abs);
  const at = (values: Float32Array, i: number): number => values[i] ?? NaN;

  test('Adam with decoupled weight decay', async () => {
    const s = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, step: 3, weightDecay: 0.1 };
    const rates = Float32Array.from(adamRates(s));
    const got = await runPlans([planAdam(shape, s, gpu)], { value, gradient, m, v, rates });
    const rate = (s.learningRate * Math.sqrt(1 - s.beta2 ** 3)) / (1 - s.beta1 ** 3);
    const wantM = m.map((_, i) => 0.9 * at(m, i) + 0.1 * at(gradient, i));
    const wantV = v.map((_, i) => 0.999 * at(v, i) + 0.001 * at(gradient, i) ** 2);
    // A handful of roundings of numbers of size at most 1.
    expectClose(got['m'] ?? [], wantM, 4 * EPSILON);
    expectClose(got['v'] ?? [], wantV, 4 * EPSILON);
    const update = (i: number): number =>
      (rate * (0.9 * at(m, i) + 0.1 * at(gradient, i))) /
      (Math.sqrt(0.999 * at(v, i) + 0.001 * at(gradient, i) ** 2) + s.epsilon);
    const want = Array.from(value, (x, i) => (1 - 0.001) * x - update(i));
    // WGSL allows a division 2.5 units in the last place and a root a few: 16 of the update, and 4 of the value.
    expectClose(
      got['value'] ?? [],
      want,
      want.map((_, i) => 4 * EPSILON + 32 * EPSILON * Math.abs(update(i))),
    );
  });

  test.each([false, true])('SGD with momentum, Nesterov %s', async (nesterov) => {
    const s = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov };
    const rates = Float32Array.of(s.learningRate);
    const got = await runPlans([planSgd(shape, s, gpu)], { value, gradient, velocity: m, rates });
    const decayed = Array.from(gradient, (g, i) => g + 0.01 * at(value, i));
    const velocity = decayed.map((g, i) => 0.9 * at(m, i) + g);
    expectClose(got['velocity'] ?? [], velocity, 8 * EPSILON);
    const want = velocity.map((u, i) => at(value, i) - 0.1 * (nesterov ? (decayed[i] ?? NaN) + 0.9 * u : u));
    expectClose(got['value'] ?? [], want, 8 * EPSILON);
  });

  test('SGD without momentum', async () => {
    const got = await runPlans([planSgdPlain(shape, { weightDecay: 0.5 }, gpu)], {
      value,
      gradient,
      rates: Float32Array.of(0.1),
    });
    const want = Array.from(value, (x, i) => x - 0.1 * (at(gradient, i) + 0.5 * x));
    expectClose(got['value'] ?? [], want, 8 * EPSILON);
  });

  test('moving average', async () => {
    const got = await runPlans([planMovingAverage(shape, gpu)], { x: value, average: m, rates: Float32Array.of(0.1) });
    const want = Array.from(m, (before, i) => 0.9 * before + 0.1 * at(value, i));
    expectClose(got['average'] ?? [], want, 4 * EPSILON);
  });

  test('swap', async () => {
    const got = await runPlans([planSwap(shape, gpu)], { a: value, b: m });
    expectClose(got['a'] ?? [], m, 0);
    expectClose(got['b'] ?? [], value, 0);
  });
});

test('a step counted from 0 is refused', () => {
  const s = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, step: 0 };
  expect(() => adamRates(s)).toThrow('adam: step is 0; steps are counted from 1');
});

describe('through the ops', () => {
  beforeAll(async () => {
    register(gpu.device);
    await tf.setBackend('thaw');
  });
  const values = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data())];

  test('a variable is stepped in place, again and again, and no tensor is left behind', async () => {
    const initial = tf.tensor1d([1, 2]);
    const variable = tf.variable<tf.Rank>(initial);
    initial.dispose();
    const gradient = tf.tensor1d([10, -10]);
    const rates = tf.tensor1d([0.01]);
    const before = tf.memory().numTensors;
    const data: unknown[] = [];
    for (let step = 0; step < 3; step++) {
      const { value } = sgdStep({ value: variable, gradient, rates }, { momentum: 0 });
      variable.assign(value);
      value.dispose();
      data.push(variable.dataId);
    }
    // Each of three steps rounds a value of size 2.3 to a spacing of 2^-22.
    expectClose(await values(variable), [0.7, 2.3], 8 * EPSILON);
    expect(new Set(data).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([variable, gradient, rates]);
  });

  test('a clone that somebody kept does not move', async () => {
    const [value, m, v] = [tf.tensor1d([1, 2]), tf.tensor1d([0, 0]), tf.tensor1d([0, 0])];
    const best = value.clone();
    const gradient = tf.tensor1d([1, -4]);
    const betas = { beta1: 0.9, beta2: 0.999 };
    const rates = tf.tensor1d(adamRates({ learningRate: 0.1, step: 1, ...betas }));
    const next = adamStep({ value, gradient, m, v, rates }, { ...betas, epsilon: 1e-7 });
    // The first step of Adam is learningRate times the gradient's sign, but for epsilon.
    expectClose(await values(next.value), [0.9, 2.1], 1e-6);
    expectClose(await values(best), [1, 2], 0);
    expect(next.m.dataId).toBe(m.dataId);
  });

  test('a velocity with momentum', async () => {
    const rates = tf.tensor1d([0.1]);
    const tensors = { value: tf.tensor1d([1]), gradient: tf.tensor1d([2]), velocity: tf.tensor1d([1]), rates };
    const { value, velocity } = sgdStep(tensors, { momentum: 0.9, nesterov: true });
    expectClose(await values(value), [1 - 0.1 * (2 + 0.9 * 2.9)], 8 * EPSILON);
    expectClose(velocity ? await values(velocity) : [], [2.9], 4 * EPSILON);
  });

  test.each(['cpu', 'thaw'])('averages and exchanges on %s leave no tensor behind', async (name) => {
    await tf.setBackend(name);
    const [average, x] = [[1, 2], [3, 6]].map((v) => tf.tidy(() => tf.variable<tf.Rank>(tf.tensor1d(v)))); // prettier-ignore
    const rates = tf.tensor1d([0.25]);
    const before = tf.memory().numTensors;
    movingAverageStep(average!, x!, rates);
    expectClose(await values(average!), [1.5, 3], 0);
    swapValues(average!, x!);
    expectClose(await values(average!), [3, 6], 0);
    expectClose(await values(x!), [1.5, 3], 0);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([average!, x!, rates]);
    await tf.setBackend('thaw');
  });
});
