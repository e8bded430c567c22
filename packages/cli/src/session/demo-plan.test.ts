// The demo's plan fits the time it is given, by the speeds it is given.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planDemo, type DemoPlan, type Speed } from './demo-plan.ts';

const available = { train: 50_000, test: 10_000 };

/** Seconds that a plan takes: both methods run the test images, the frozen one runs every training image once. */
function seconds({ trainImages, testImages, frozenEpochs, thawedEpochs }: DemoPlan, speed: Speed): number {
  const learnt = 0.85 * trainImages;
  const validation = 0.15 * trainImages;
  const frozen = (trainImages + testImages) / speed.features + (frozenEpochs * learnt) / speed.head;
  if (speed.thawed === undefined) return frozen;
  return frozen + thawedEpochs * (learnt / speed.thawed + validation / speed.forward) + testImages / speed.forward;
}

test('a machine with no GPU: some thousand images', () => {
  const plan = planDemo(
    { forward: 100, features: 280, head: 2000, thawed: 60 },
    { seconds: 150, available, validationSplit: 0.15 },
  );
  expect(plan.trainImages).toBeGreaterThan(1000);
  expect(plan.trainImages).toBeLessThan(10_000);
  expect(plan.thawedEpochs).toBeGreaterThanOrEqual(2);
});

test('a fast one: all of CIFAR-10, 20 epochs, as the article', () => {
  const plan = planDemo(
    { forward: 1e5, features: 1e5, head: 1e6, thawed: 3e4 },
    { seconds: 150, available, validationSplit: 0.15 },
  );
  expect(plan).toEqual({ trainImages: 50_000, testImages: 10_000, frozenEpochs: 20, thawedEpochs: 20 });
});

test('without WebGPU nothing is thawed', () => {
  const plan = planDemo({ forward: 20, features: 20, head: 500, thawed: undefined }, { seconds: 150, available, validationSplit: 0.15 }); // prettier-ignore
  expect(plan.thawedEpochs).toBe(0);
  expect(plan.frozenEpochs).toBeGreaterThanOrEqual(5);
});

test('the slowest machine still gets the least that shows anything', () => {
  const plan = planDemo(
    { forward: 0.1, features: 0.1, head: 1, thawed: 0.01 },
    { seconds: 150, available, validationSplit: 0.15 },
  );
  expect(plan).toEqual({ trainImages: 200, testImages: 200, frozenEpochs: 1, thawedEpochs: 1 });
});

test('any plan above the least fits into its time', () => {
  const rate = fc.double({ min: 1, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(rate, rate, rate, fc.option(rate, { nil: undefined }), fc.double({ min: 30, max: 3600, noNaN: true }), (forward, features, head, thawed, time) => {
      const speed = { forward, features, head, thawed };
      const plan = planDemo(speed, { seconds: time, available, validationSplit: 0.15 });
      if (plan.trainImages > 200) expect(seconds(plan, speed)).toBeLessThanOrEqual(time * 1.0001);
    }),
  ); // prettier-ignore
});
