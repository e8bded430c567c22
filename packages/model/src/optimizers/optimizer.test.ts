// Groups of rates: which variables they hold, and that each variable moves by its group's share of the plain update.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { noise } from '../testing/tiny.ts';
import { Optimizer, type OptimizerConfig } from './optimizer.ts';
import { rateGroups, type GroupOf } from './rate-groups.ts';
import { keptShare, WeightAverage } from './weight-average.ts';

const LAYERS = ['input_1', 'conv1_conv', 'conv2_block1_1_conv', 'conv5_block3_3_bn', 'conv5_block3_out'];

describe('groups', () => {
  test('the head at the full rate, each stage at a share of the one above', () => {
    const groupOf = rateGroups({ stageDecay: 0.5 }, LAYERS);
    const multipliers = [
      'head/dense_0/kernel',
      'conv5_block3_3_bn/gamma',
      'conv4_block1_0_conv/bias',
      'conv1_conv/kernel',
    ];
    expect(multipliers.map((name) => groupOf(name))).toEqual([
      { name: 'head', multiplier: 1, decays: true },
      { name: 'conv5', multiplier: 0.5, decays: true },
      { name: 'conv4', multiplier: 0.25, decays: true },
      { name: 'conv1', multiplier: 0.03125, decays: true },
    ]);
  });

  test('weight decay of kernels alone', () => {
    const groupOf = rateGroups({ decayKernelsOnly: true }, LAYERS);
    const decays = (name: string): boolean => groupOf(name).decays;
    expect(['conv1_conv/kernel', 'head/dense_0/kernel'].map(decays)).toEqual([true, true]);
    expect(['conv1_conv/bias', 'conv1_bn/gamma', 'conv1_bn/beta', 'head/dense_0/bias'].map(decays)).toEqual([false, false, false, false]); // prettier-ignore
  });

  test('a decay of 0 is refused', () => {
    expect(() => rateGroups({ stageDecay: 0 }, LAYERS)).toThrow('must be above 0, got 0');
  });
});

const CONFIGS: OptimizerConfig[] = [
  { kind: 'sgd', learningRate: 0.125 },
  { kind: 'sgd', learningRate: 0.125, momentum: 0.9, nesterov: true, weightDecay: 0.25 },
  { kind: 'adam', learningRate: 0.125, weightDecay: 0.25 },
];
const NAMES = [
  'conv1_conv/kernel',
  'conv1_conv/bias',
  'conv5_block1_1_conv/kernel',
  'head/dense_0/kernel',
  'head/dense_0/bias',
];

describeOnBackends('the optimizer', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  /** Values of NAMES before and after some updates. */
  async function moved(config: OptimizerConfig, groupOf: GroupOf | undefined, steps = 1): Promise<number[][]> {
    const optimizer = new Optimizer(config, groupOf);
    const variables = new Map(
      NAMES.map((name, i) => [name, tf.tidy(() => tf.variable(tf.tensor1d(noise(7, i + 1))) as tf.Variable)]),
    );
    for (let step = 0; step < steps; step++) {
      optimizer.beginStep(variables.keys());
      for (const [name, variable] of optimizer.inOrder(variables)) {
        const gradient = tf.tensor1d(noise(7, 100 + NAMES.indexOf(name)));
        optimizer.update(name, variable, gradient);
        gradient.dispose();
      }
    }
    const values = await Promise.all([...variables.values()].map(async (variable) => [...(await variable.data())]));
    tf.dispose([...variables.values()]);
    optimizer.dispose();
    return values;
  }

  test.each(CONFIGS)('the first update of each group is its share of the plain one: %o', async (config) => {
    const groupOf = rateGroups({ stageDecay: 0.5 }, LAYERS);
    const plain = await moved(config, undefined);
    const grouped = await moved(config, groupOf);
    NAMES.forEach((name, i) => {
      const { multiplier } = groupOf(name);
      const before = noise(7, i + 1);
      grouped[i]!.forEach((value, j) => {
        const want = multiplier * (plain[i]![j]! - before[j]!);
        // Each difference of numbers below 2 carries their rounding, 2^-23, and the rate's own.
        expect(Math.abs(value - before[j]! - want)).toBeLessThan(4 * 2 ** -23);
      });
    });
  });

  test.each(CONFIGS.slice(1))('without weight decay, biases move as if there were none: %o', async (config) => {
    const bare = await moved({ ...config, weightDecay: 0 }, undefined, 3);
    const all = await moved(config, undefined, 3);
    const kernelsOnly = await moved(config, rateGroups({ decayKernelsOnly: true }, LAYERS), 3);
    NAMES.forEach((name, i) => expect(kernelsOnly[i], name).toEqual((name.endsWith('/kernel') ? all : bare)[i]));
    expect(all).not.toEqual(bare);
  });

  test('variables of a group stand side by side', () => {
    const optimizer = new Optimizer({ kind: 'adam', learningRate: 1, weightDecay: 1 }, rateGroups({ stageDecay: 0.5, decayKernelsOnly: true }, LAYERS)); // prettier-ignore
    const names = [
      'conv1_conv/kernel',
      'conv1_conv/bias',
      'conv1_bn/gamma',
      'conv5_1_conv/kernel',
      'conv1_2_conv/kernel',
    ];
    const one = tf.tidy(() => tf.variable(tf.scalar(1)) as tf.Variable);
    const ordered = optimizer.inOrder(new Map(names.map((name) => [name, one]))).map(([name]) => name);
    expect(ordered).toEqual(['conv1_conv/kernel', 'conv1_2_conv/kernel', 'conv1_conv/bias', 'conv1_bn/gamma', 'conv5_1_conv/kernel']); // prettier-ignore
    one.dispose();
    optimizer.dispose();
  });

  test('the average follows its definition, and an exchange is exact', async () => {
    const before = tf.memory().numTensors;
    const x = tf.tidy(() => tf.variable(tf.tensor1d(noise(9, 1))) as tf.Variable);
    const average = await WeightAverage.of(new Map([['x', x]]), 0.6);
    let want = [...noise(9, 1)];
    for (let step = 0; step < 12; step++) {
      const next = noise(9, 2 + step);
      const value = tf.tensor1d(next);
      x.assign(value);
      value.dispose();
      average.beginStep(step);
      average.update('x');
      // 0.1, 2/11, 0.25, ... until 0.6 is less.
      const kept = Math.min(0.6, (1 + step) / (10 + step));
      expect(keptShare(0.6, step)).toBe(kept);
      want = want.map((old, i) => kept * old + (1 - kept) * next[i]!);
    }
    const got = (await average.state()).get('x')!.data;
    // Three roundings of numbers up to 2 in each step, of which later steps keep at most 0.6 each: 2.5 times one step's.
    got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(2.5 * 3 * 2 ** -23));
    const raw = [...(await x.data())];
    average.swap();
    expect([...(await x.data())]).toEqual([...got]);
    expect([...(await average.state()).get('x')!.data]).toEqual(raw);
    average.swap();
    expect([...(await x.data())]).toEqual(raw);
    average.dispose();
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect(WeightAverage.of(new Map(), 1)).rejects.toThrow('between 0 and 1, got 1');
  });
});
