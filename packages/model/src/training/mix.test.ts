// What is drawn for a step, the mixture and its loss against float64, and a step of a head on mixed rows against the same in float64.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { softmaxCrossEntropy } from '@thaw/kernels';
import { useBackend } from '../testing/backends.ts';
import { noise } from '../testing/tiny.ts';
import { checkMixRules, mixes, mixImages, mixLosses, mixOf, mixTensors, type Mix } from './mix.ts';

const SIDE = 20;
const STEPS = Array.from({ length: 400 }, (_, step) => step);
const shares = (rules: { mixup: number; cutmix: number }): number[] =>
  STEPS.map((step) => mixOf({ ...rules, seed: 1 }, step, 4, SIDE).share);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('what is drawn', () => {
  test.each([{ mixup: 0.2, cutmix: 0 }, { mixup: 0, cutmix: 1 }, { mixup: 0.4, cutmix: 1 }])('%j: a permutation, a mask, its mean', (rules) => {
    for (const step of STEPS) {
      const { partner, mask, share } = mixOf({ ...rules, seed: 7 }, step, 6, SIDE);
      expect([...partner].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(mask).toHaveLength(SIDE ** 2);
      // 400 float32 values of the same size: as far off as their rounding.
      expect(Math.abs(mean([...mask]) - share)).toBeLessThan(2 ** -24);
    }
  }); // prettier-ignore

  test('the same for the same seed and step, and otherwise another', () => {
    const rules = { mixup: 0.4, cutmix: 1, seed: 3 };
    expect(mixOf(rules, 5, 8, SIDE)).toEqual(mixOf(rules, 5, 8, SIDE));
    expect(mixOf(rules, 5, 8, SIDE)).not.toEqual(mixOf(rules, 6, 8, SIDE));
    expect(mixOf(rules, 5, 8, SIDE)).not.toEqual(mixOf({ ...rules, seed: 4 }, 5, 8, SIDE));
  });

  test('mixup: Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1))', () => {
    for (const a of [0.2, 1]) {
      const drawn = shares({ mixup: a, cutmix: 0 });
      const variance = 1 / (4 * (2 * a + 1));
      // Four standard errors of 400 values; a variance's own is at most that of values in [0, 1/4].
      expect(Math.abs(mean(drawn) - 0.5)).toBeLessThan(4 * Math.sqrt(variance / 400));
      expect(Math.abs(mean(drawn.map((s) => (s - 0.5) ** 2)) - variance)).toBeLessThan((4 * 0.125) / 20);
    }
  });

  test('cutmix: one rectangle of ones', () => {
    for (const step of STEPS) {
      const { mask } = mixOf({ mixup: 0, cutmix: 1, seed: 2 }, step, 2, SIDE);
      const rows = Array.from({ length: SIDE }, (_, y) => [...mask.subarray(y * SIDE, (y + 1) * SIDE)].join(''));
      const kinds = new Set(rows.filter((row) => row.includes('1')));
      expect(kinds.size).toBeLessThanOrEqual(1);
      for (const row of kinds) expect(row).toMatch(/^0*1+0*$/);
      expect(rows.map((row) => Number(row.includes('1'))).join('')).toMatch(/^0*1*0*$/);
    }
  });

  test('both: each about half of the time', () => {
    const isCut = STEPS.filter(
      (step) => new Set(mixOf({ mixup: 1, cutmix: 1, seed: 1 }, step, 2, SIDE).mask).size === 2,
    );
    // Four standard deviations of 400 coins; a rectangle of no or all pixels does not show.
    expect(Math.abs(isCut.length - 200)).toBeLessThan(50);
  });

  test('parameters outside [0, 1] are refused; none mixes nothing', () => {
    expect(() => checkMixRules({ mixup: 1.5, cutmix: 0, seed: 1 })).toThrow('mixup: its parameter must be in [0, 1], got 1.5.');
    expect(() => checkMixRules({ mixup: 0, cutmix: NaN, seed: 1 })).toThrow('cutmix: its parameter must be in [0, 1], got NaN.');
    expect([mixes(undefined), mixes({ mixup: 0, cutmix: 0, seed: 1 }), mixes({ mixup: 0, cutmix: 0.1, seed: 1 })]).toEqual([false, false, true]);
  }); // prettier-ignore
});

describe('on a backend', () => {
  beforeAll(async () => useBackend('cpu'));
  const [SIZE, PIXELS, CLASSES] = [3, 4, 5] as const;
  const mix: Mix = { partner: Int32Array.of(2, 0, 1), mask: Float32Array.of(0, 1, 0.25, 0.75), share: 0.5 };

  test('images: x + m (partner - x)', async () => {
    const x = noise(SIZE * PIXELS * 2, 1);
    const tensors = mixTensors(mix);
    const got = await mixImages(tf.tensor4d(x, [SIZE, 2, 2, 2]), tensors).data();
    const at = (image: number, pixel: number, channel: number): number => x[(image * PIXELS + pixel) * 2 + channel]!;
    for (let n = 0; n < SIZE; n++)
      for (let p = 0; p < PIXELS; p++)
        for (let c = 0; c < 2; c++) {
          const want = at(n, p, c) + mix.mask[p]! * (at(mix.partner[n]!, p, c) - at(n, p, c));
          // A difference, a product and a sum of values below 4.
          expect(Math.abs(got[(n * PIXELS + p) * 2 + c]! - want)).toBeLessThan(3 * 8 * 2 ** -24);
        }
  });

  test.each([0, 0.1])(
    'the loss and its gradient are those of the mixed target, label smoothing %f',
    async (smoothing) => {
      const logits = noise(SIZE * CLASSES, 2);
      const labels = [4, 0, 2];
      const target = (n: number, c: number): number => {
        const own = (label: number): number => (1 - smoothing) * Number(c === label) + smoothing / CLASSES;
        return 0.5 * own(labels[n]!) + 0.5 * own(labels[mix.partner[n]!]!);
      };
      const tensors = mixTensors(mix);
      const given = tf.tensor1d(labels, 'int32');
      const lossOf = (z: tf.Tensor): tf.Tensor =>
        mixLosses(given, tensors, (l) => softmaxCrossEntropy(z as tf.Tensor2D, l, { smoothing }));
      const { value, grad } = tf.valueAndGrad((z) => tf.sum(lossOf(z)))(tf.tensor2d(logits, [SIZE, CLASSES]));
      let want = 0;
      const gradient = await grad.data();
      for (let n = 0; n < SIZE; n++) {
        const row = [...logits.subarray(n * CLASSES, (n + 1) * CLASSES)];
        const sum = row.reduce((total, z) => total + Math.exp(z), 0);
        row.forEach((z, c) => {
          want -= target(n, c) * (z - Math.log(sum));
          expect(Math.abs(gradient[n * CLASSES + c]! - (Math.exp(z) / sum - target(n, c)))).toBeLessThan(16 * 2 ** -24);
        });
      }
      expect(Math.abs((await value.data())[0]! - want)).toBeLessThan(128 * 2 ** -24);
    },
  );
});
