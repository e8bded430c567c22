// Dropout in the head, worked out by hand.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { createHead } from './head.ts';

beforeAll(() => tf.setBackend('cpu'));

test('a linear head drops features: each logit is a sum of kernel rows times 0 or 1 / (1 - rate)', async () => {
  const [inputs, classes, rate] = [5, 2, 0.5];
  const head = createHead({ spec: 'linear', classes, inputs, seed: 3, dropout: rate });
  const kernel = await head.variables.get('head/dense_0/kernel')!.data();
  const sums = Array.from({ length: 2 ** inputs }, (_, kept) =>
    Array.from({ length: classes }, (_, c) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) if (kept & (1 << i)) sum += (kernel[i * classes + c] ?? NaN) / (1 - rate);
      return sum;
    }),
  );
  const features = tf.ones<tf.Rank.R2>([1, inputs]);
  const seen = new Set<number>();
  for (let step = 0; step < 20; step++) {
    head.setStep(step);
    const logits = await head.logits(features, { training: true }).data();
    const mask = sums.findIndex((sum) => sum.every((value, c) => Math.abs(value - (logits[c] ?? NaN)) < 1e-5));
    expect(mask).not.toBe(-1);
    seen.add(mask);
  }
  expect(seen.size).toBeGreaterThan(5);
  const plain = await head.logits(features, { training: false }).data();
  expect(plain[0]).toBeCloseTo((1 - rate) * (sums.at(-1)?.[0] ?? NaN), 5);
  head.dispose();
});
