// The range test on losses that are known, and on a head whose best rate can be told.
import { beforeAll, describe, expect, test } from 'vitest';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { useBackend } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { Classifier } from './classifier.ts';
import { findRate, rateOfStep, readRates, smooth } from './find-rate.ts';

test('rates rise by the same factor', () => {
  const rates = [0, 1, 2, 3, 4].map((step) => rateOfStep(step, 1e-4, 1, 5));
  rates.forEach((rate, i) => expect(rate / 10 ** (i - 4)).toBeCloseTo(1, 12));
});

test('smoothing: a constant stays, and a step is a tenth of the way', () => {
  const points = smooth([2, 2, 2, 3].map((loss) => ({ rate: 1, loss })));
  expect(points.slice(0, 3).map(({ smoothed }) => smoothed)).toEqual([2, 2, 2].map((two) => expect.closeTo(two, 12) as number));
  // 0.1 / (1 - 0.9^4) of the way from 2 to 3.
  expect(points[3]!.smoothed).toBeCloseTo(2 + 0.1 / (1 - 0.9 ** 4), 12);
}); // prettier-ignore

test('steepest where a logistic curve over the logarithm of the rate is, lowest at its end', () => {
  const points = Array.from({ length: 101 }, (_, i) => {
    const exponent = -6 + i / 20;
    const smoothed = 1 / (1 + Math.exp(4 * (exponent + 3))) + (exponent > -1.5 ? 10 * (exponent + 1.5) : 0);
    return { rate: 10 ** exponent, loss: smoothed, smoothed };
  });
  const { steepest, lowest } = readRates(points);
  expect(Math.log10(steepest!)).toBeCloseTo(-3, 9);
  expect(Math.log10(lowest!)).toBeCloseTo(-1.5, 9);
});

test('a loss that only rises suggests nothing', () => {
  const points = Array.from({ length: 30 }, (_, i) => ({ rate: i + 1, loss: i, smoothed: i }));
  expect(readRates(points)).toMatchObject({ steepest: undefined, lowest: 1 });
  expect(readRates([])).toMatchObject({ steepest: undefined, lowest: undefined });
});

describe('on a tiny network', () => {
  beforeAll(async () => useBackend('cpu'));
  const classifier = (): Classifier => {
    const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), { imageSize: 16, architecture: TINY });
    return new Classifier(network, createHead({ spec: 'linear', classes: 3, inputs: network.channels, seed: 2 }));
  };
  const base = { train: classSource(24, 3, 16), imageSize: 16, batchSize: 8, seed: 1, optimizer: { kind: 'sgd', learningRate: 1 } } as const; // prettier-ignore

  test('plain descent ends where it diverges, with the losses up to there', async () => {
    const one = classifier();
    const { points, diverged, steepest } = await findRate({ ...base, classifier: one, from: 1e-3, to: 1e6, steps: 40 });
    expect(diverged).toBe(true);
    expect(points.length).toBeLessThan(40);
    expect(points[0]!.rate).toBe(1e-3);
    expect(points.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(steepest!).toBeLessThan(points.at(-1)!.rate);
    one.dispose();
  });

  test('it can be stopped', async () => {
    const one = classifier();
    const stop = new AbortController();
    const { points } = await findRate({ ...base, classifier: one, steps: 10, signal: stop.signal, onStep: (done) => { if (done === 3) stop.abort(); } }); // prettier-ignore
    expect(points).toHaveLength(3);
    one.dispose();
  });

  test('rates that fall and too few steps are refused', async () => {
    const one = classifier();
    await expect(findRate({ ...base, classifier: one, from: 1, to: 0.1 })).rejects.toThrow('must rise from above 0, got 1 to 0.1');
    await expect(findRate({ ...base, classifier: one, steps: 1 })).rejects.toThrow('at least 2 steps, got 1');
    one.dispose();
  }); // prettier-ignore
});
