// Loss scaling: what counts as not finite, how the scale moves (by hand), and steps that are skipped or unscaled exactly.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import {
  adamRates,
  adamScaledRates,
  adamStep,
  assignValues,
  capture,
  hasFloat16,
  LossScale,
  sgdStep,
  toFloat16,
  toFloat32,
} from '../../ops/index.ts';
import { EPSILON, expectClose, random } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planNoteNonFinite } from './loss-scale.plan.ts';

const FIXED = { backoff: 1, growth: 1, interval: 1, least: 0, most: Infinity };
const values = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data())];

describe('what is not finite', () => {
  const found = async (gradient: Float32Array, length = gradient.length): Promise<number> => {
    const { scaling } = await runPlans([planNoteNonFinite([length], gpu.limits)], {
      gradient,
      scaling: new Float32Array(4),
    });
    expect([scaling![0], scaling![2], scaling![3]]).toEqual([0, 0, 0]);
    return scaling![1]!;
  };

  test.each([1, 4, 997, 5000])('one of %i numbers, wherever it is', async (length) => {
    const finite = random(length, 1);
    expect(await found(finite)).toBe(0);
    for (const at of [0, length >> 1, length - 1])
      for (const value of [Infinity, -Infinity, NaN])
        expect(await found(finite.map((v, i) => (i === at ? value : v)))).toBe(1);
  });

  test('the largest and the smallest numbers are finite, and padding counts for nothing', async () => {
    expect(await found(Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, 2 ** -149, -0))).toBe(0);
    expect(await found(Float32Array.of(1, 2, 3, 4, 5, NaN, Infinity), 5)).toBe(0);
  });
});

describe('a loss scale', () => {
  let backend: ThawBackend;
  beforeAll(async () => {
    backend = register(gpu.device);
    await tf.setBackend('thaw');
  });

  const [good, bad] = [[1, -2, 3], [1, Infinity, 3]]; // prettier-ignore
  async function history(lossScale: LossScale, gradients: readonly number[][]): Promise<[number, number, number][]> {
    const states: [number, number, number][] = [];
    for (const gradient of gradients) {
      const tensor = tf.tensor1d(gradient);
      lossScale.note(tensor);
      lossScale.adjust();
      tensor.dispose();
      const state = await lossScale.read();
      states.push([state.scale, state.good, state.skipped]);
      const [inverse, isFound] = await values(lossScale.scaling);
      expect([inverse, isFound]).toEqual([Math.fround(1 / state.scale), 0]);
    }
    return states;
  }

  test('halves on overflow, doubles after three good steps, and starts counting anew at each', async () => {
    const before = tf.memory().numTensors;
    const rule = { backoff: 0.5, growth: 2, interval: 3, least: 2 ** -14, most: 2 ** 24 };
    const lossScale = new LossScale(rule, { scale: 2 ** 16, good: 0 });
    expect(await history(lossScale, [bad, bad, good, good, bad, good, good, good, good])).toEqual([
      [2 ** 15, 0, 1],
      [2 ** 14, 0, 2],
      [2 ** 14, 1, 2],
      [2 ** 14, 2, 2],
      [2 ** 13, 0, 3],
      [2 ** 13, 1, 3],
      [2 ** 13, 2, 3],
      [2 ** 14, 0, 3],
      [2 ** 14, 1, 3],
    ]);
    lossScale.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('goes on from where it was, and stays within its bounds', async () => {
    const rule = { backoff: 0.5, growth: 2, interval: 2, least: 4, most: 16 };
    const lossScale = new LossScale(rule, { scale: 8, good: 1 });
    expect(await history(lossScale, [good, good, good, bad, bad, bad])).toEqual([
      [16, 0, 0],
      [16, 1, 0],
      [16, 0, 0],
      [8, 0, 1],
      [4, 0, 2],
      [4, 0, 3],
    ]);
    lossScale.dispose();
  });

  test('that is fixed counts what it skips and stays', async () => {
    const lossScale = new LossScale(FIXED, { scale: 1000, good: 0 });
    expect(await history(lossScale, [bad, good])).toEqual([
      [1000, 0, 1],
      [1000, 0, 1],
    ]);
    lossScale.dispose();
    expect(() => new LossScale(FIXED, { scale: 0, good: 0 })).toThrow('the scale must be above 0, got 0');
  });

  test('keeps a gradient that float16 loses', async (context) => {
    if (!hasFloat16()) context.skip('this device has no shader-f16');
    // 2^-30 is below float16's smallest number, 2^-24, and 2^-14 is its smallest normal one: both are exact.
    const step = async (start: number): Promise<number[]> => {
      const lossScale = new LossScale(FIXED, { scale: start, good: 0 });
      const x = tf.variable<tf.Rank>(tf.tensor1d([1, 2]));
      const lossOf = (): tf.Scalar => tf.sum(tf.mul(toFloat32(toFloat16<tf.Tensor>(x)), 2 ** -30));
      const { value, grads } = tf.engine().gradients(lossOf, [x], lossScale.scale);
      expect(await values(value)).toEqual([3 * 2 ** -30]);
      lossScale.note(grads[0]!);
      const tensors = { value: x, gradient: grads[0]!, rates: tf.tensor1d([2 ** 20]), scaling: lossScale.scaling };
      const next = sgdStep(tensors, { momentum: 0 });
      lossScale.dispose();
      return values(next.value);
    };
    expect(await step(1)).toEqual([1, 2]);
    expect(await step(2 ** 16)).toEqual([1 - 2 ** -10, 2 - 2 ** -10]);
    // 2^-30 2^46 = 2^16 is more than float16's largest number, 65504.
    expect(await step(2 ** 46)).toEqual([1, 2]);
  });

  describe('in a captured step', () => {
    const sizes = [5, 130, 4096, 1];
    /** Shares its storage with no other tensor. */
    const variable = (of: () => tf.Tensor) => tf.tidy(() => tf.variable<tf.Rank>(of()));
    const variables = () => sizes.map((size, i) => variable(() => tf.tensor1d(random(size, i))));

    test('all gradients are looked through in one dispatch, their numbers and not what lies between them', async () => {
      const gradients = variables();
      // Passes through the same memory before the gradients do, and leaves NaN there.
      const noise = variable(() => tf.fill([8192], NaN));
      const lossScale = new LossScale({ ...FIXED, backoff: 0.5 }, { scale: 8, good: 0 });
      const outputs: tf.Tensor[] = [];
      const step = await capture(() => {
        outputs.push(tf.tidy(() => tf.sum(tf.mul(noise, 2))));
        tf.tidy(() => {
          for (const gradient of gradients.map((variable) => tf.mul(variable, 2))) lossScale.note(gradient);
        });
        lossScale.adjust();
        return outputs;
      });
      // Two for the noise, one for each gradient, one to look, one to adjust.
      expect(step.dispatches).toBe(2 + sizes.length + 2);
      const skippedWith = async (bad: number | undefined): Promise<number> => {
        gradients.forEach((gradient, i) => {
          const numbers = random(sizes[i]!, i);
          if (i === bad) numbers[sizes[i]! - 1] = -Infinity;
          assignValues(gradient, numbers);
        });
        const before = await lossScale.read();
        step.replay();
        return (await lossScale.read()).skipped - before.skipped;
      };
      expect(await skippedWith(undefined)).toBe(0);
      expect(await values(outputs[0]!)).toEqual([NaN]);
      for (const bad of sizes.keys()) expect(await skippedWith(bad)).toBe(1);
      expect(await skippedWith(undefined)).toBe(0);
      step.dispose();
      lossScale.dispose();
      tf.dispose([...gradients, ...outputs, noise]);
    });

    test('the gradients that were looked through are updated in one dispatch, or one for each set of rates', async () => {
      const [weights, m, v] = [variables(), variables(), sizes.map((size) => variable(() => tf.ones([size])))];
      const betas = { beta1: 0.9, beta2: 0.99 };
      const rates = [1e-3, 1e-2].map((learningRate) =>
        tf.tensor1d(adamScaledRates({ learningRate, ...betas, step: 1 })),
      );
      const lossScale = new LossScale(FIXED, { scale: 8, good: 0 });
      const dispatchesWith = async (ratesOf: (i: number) => tf.Tensor1D): Promise<number> => {
        const step = await capture(() => {
          tf.tidy(() => {
            const gradients = weights.map((weight) => tf.mul(weight, 8));
            for (const gradient of gradients) lossScale.note(gradient);
            gradients.forEach((gradient, i) => {
              const given = { value: weights[i]!, gradient, m: m[i]!, v: v[i]!, rates: ratesOf(i), scaling: lossScale.scaling }; // prettier-ignore
              const next = adamStep(given, { ...betas, epsilon: 1e-7 });
              weights[i]!.assign(next.value);
              m[i]!.assign(next.m);
              v[i]!.assign(next.v);
            });
          });
          lossScale.adjust();
          return [];
        });
        step.replay();
        await backend.settle(0);
        const { dispatches } = step;
        step.dispose();
        return dispatches;
      };
      expect(await dispatchesWith(() => rates[0]!)).toBe(sizes.length + 3);
      // The third weight has other rates: three dispatches in place of one.
      expect(await dispatchesWith((i) => rates[Number(i === 2)]!)).toBe(sizes.length + 5);
      lossScale.dispose();
      tf.dispose([...weights, ...m, ...v, ...rates]);
    });
  });

  /** Adam on gradients that may be not finite, in float64: skipped steps do not count. */
  function adamByHand(gradients: readonly number[], learningRate: number, weightDecay: number): number[] {
    let [value, m, v, t] = [1, 0, 0, 0];
    return gradients.map((g) => {
      if (!Number.isFinite(g)) return value;
      t++;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const rate = (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
      value = (1 - learningRate * weightDecay) * value - (rate * m) / (Math.sqrt(v) + 1e-7);
      return value;
    });
  }

  test('Adam: a skipped step changes nothing and does not count in the bias corrections', async () => {
    const gradients = [NaN, Infinity, 0.5, -0.25, NaN, 0.125, 1, ...random(20, 5)];
    const want = adamByHand(gradients, 0.1, 0.5);
    const lossScale = new LossScale({ ...FIXED, backoff: 0.5, least: 1 }, { scale: 2 ** 10, good: 0 });
    let [value, m, v] = [tf.tensor1d([1]), tf.tensor1d([0]), tf.tensor1d([0])] as tf.Tensor[];
    let scale = 2 ** 10;
    for (const [i, g] of gradients.entries()) {
      const gradient = tf.tensor1d([g * scale]);
      const rates = tf.tensor1d(adamScaledRates({ learningRate: 0.1, beta1: 0.9, beta2: 0.999, step: i + 1, weightDecay: 0.5 })); // prettier-ignore
      lossScale.note(gradient);
      const tensors = { value: value!, gradient, m: m!, v: v!, rates, scaling: lossScale.scaling };
      const next = adamStep(tensors, { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
      lossScale.adjust();
      if (!Number.isFinite(g)) scale /= 2;
      ({ value, m, v } = next);
      // The value is of size 1 at most and a step of size 0.1; each step rounds both a few times.
      expectClose(await values(next.value), [want[i]!], (i + 1) * 8 * EPSILON);
    }
    expect(await lossScale.read()).toEqual({ scale: 2 ** 7, good: 0, skipped: 3 });
    expect(() => adamScaledRates({ learningRate: 0.1, beta1: 0.9, beta2: 0.999, step: 0 })).toThrow('from 1');
    lossScale.dispose();
  });

  test.each([1, 2, 10, 300, 1000, 100_000])('Adam: the corrections of step %i are the host’s', async (step) => {
    const schedule = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, step };
    const lossScale = new LossScale(FIXED, { scale: 1, good: 0 });
    const of = (rates: readonly number[], scaling?: tf.Tensor1D) =>
      adamStep(
        { value: tf.tensor1d([0]), gradient: tf.tensor1d([1]), m: tf.tensor1d([1]), v: tf.tensor1d([1]), rates: tf.tensor1d([...rates]), scaling }, // prettier-ignore
        { beta1: 0.9, beta2: 0.999, epsilon: 0 },
      ).value;
    const [want] = await values(of(adamRates(schedule)));
    const [got] = await values(of(adamScaledRates(schedule), lossScale.scaling));
    // WGSL allows exp(x) an error of 3 + 2 |x| units in the last place, |x| up to 0.5 where it counts, roots and divisions 2.5.
    expect(Math.abs(got! / want! - 1)).toBeLessThan(32 * EPSILON);
    lossScale.dispose();
  });

  test.each([
    [0, false],
    [0.9, false],
    [0.9, true],
  ])('SGD, momentum %f, Nesterov %s: unscaled to the bit, and skipped', async (momentum, nesterov) => {
    const options = { momentum, nesterov, weightDecay: 0.25 };
    const [start, gradient, speed] = [random(997, 1), random(997, 2), random(997, 3)];
    const velocityOf = () => (momentum === 0 ? {} : { velocity: tf.tensor1d(speed) });
    const rates = tf.tensor1d([0.1]);
    const plain = sgdStep({ value: tf.tensor1d(start), gradient: tf.tensor1d(gradient), rates, ...velocityOf() }, options); // prettier-ignore
    const lossScale = new LossScale(FIXED, { scale: 2 ** 12, good: 0 });
    const step = (of: Float32Array) => {
      const scaled = tf.tensor1d(of);
      lossScale.note(scaled);
      const tensors = {
        value: tf.tensor1d(start),
        gradient: scaled,
        rates,
        ...velocityOf(),
        scaling: lossScale.scaling,
      };
      const next = sgdStep(tensors, options);
      lossScale.adjust();
      return next;
    };
    const scaled = step(gradient.map((g) => g * 2 ** 12));
    expect(await values(scaled.value)).toEqual(await values(plain.value));
    if (plain.velocity) expect(await values(scaled.velocity!)).toEqual(await values(plain.velocity));
    const skipped = step(gradient.map((g, i) => (i === 996 ? NaN : g)));
    expect(await values(skipped.value)).toEqual([...start]);
    if (skipped.velocity) expect(await values(skipped.velocity)).toEqual([...speed]);
    lossScale.dispose();
  });
});
