// Softmax cross-entropy from sparse labels against float64, its gradient against finite differences of the reference.
import { describe, expect, test } from 'vitest';
import { EPSILON, expectClose, random, randomIntegers } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planScaleRows, planSoftmaxCrossEntropy } from './softmax-cross-entropy.plan.ts';

/** The definition, in float64. */
function reference(
  logits: ArrayLike<number>,
  labels: Int32Array,
  classes: number,
  smoothing: number,
): { loss: number[]; gradient: number[] } {
  const loss: number[] = [];
  const gradient: number[] = [];
  labels.forEach((label, row) => {
    const values = Array.from({ length: classes }, (_, c) => logits[row * classes + c] ?? NaN);
    const target = values.map((_, c) => (1 - smoothing) * Number(c === label) + smoothing / classes);
    const largest = Math.max(...values);
    const exponentials = values.map((v) => Math.exp(v - largest));
    const sum = exponentials.reduce((a, b) => a + b);
    loss.push(values.reduce((l, v, c) => l - (target[c] ?? NaN) * (v - largest), Math.log(sum)));
    gradient.push(...exponentials.map((e, c) => e / sum - (target[c] ?? NaN)));
  });
  return { loss, gradient };
}

describe.each([0, 0.1, 0.75])('label smoothing %f', (smoothing) => {
  for (const tuning of [{}, { THREADS: 32 }])
    test.each([
      [1, 1],
      [7, 3],
      [32, 10],
      [5, 131],
      [3, 1000],
    ])(`of %i rows and %i classes ${JSON.stringify(tuning)}`, async (rows, classes) => {
      const logits = random(rows * classes, 1).map((v) => 20 * v);
      const labels = randomIntegers(rows, classes, 2);
      const plan = planSoftmaxCrossEntropy(rows, classes, smoothing, gpu.limits, tuning);
      const got = await runPlans([plan], { logits, labels });
      const want = reference(logits, labels, classes, smoothing);
      // Differences of logits up to 40 are rounded, and WGSL allows exp(d) an error of (3 + 2 |d|) units in the last place.
      const bound = 8 * 40 * EPSILON + 2 * 83 * EPSILON;
      // With smoothing the mean of `classes` differences up to 40 comes in: each addition rounds at most the whole sum.
      expectClose(got['loss'] ?? [], want.loss, bound + (smoothing > 0 ? 40 * (8 + classes) * EPSILON : 0));
      expectClose(got['gradient'] ?? [], want.gradient, 4 * 83 * EPSILON);
    });

  test('the gradient is that of the loss', async () => {
    const [rows, classes] = [3, 7];
    const logits = random(rows * classes, 4).map((v) => 3 * v);
    const labels = randomIntegers(rows, classes, 5);
    const got = await runPlans([planSoftmaxCrossEntropy(rows, classes, smoothing, gpu.limits)], { logits, labels });
    const h = 1e-5;
    const slopes = Array.from(logits, (_, i) => {
      const at = (d: number): number =>
        reference(
          Float64Array.from(logits, (v, j) => v + (j === i ? d : 0)),
          labels,
          classes,
          smoothing,
        ).loss[Math.floor(i / classes)] ?? NaN;
      return (at(h) - at(-h)) / (2 * h);
    });
    // Central differences are off by h^2 / 6 times a third derivative below 1, and by float64's 2^-53 * 10 / h.
    expectClose(got['gradient'] ?? [], slopes, h ** 2 / 6 + (10 * 2 ** -53) / h + 4 * 15 * EPSILON);
  });
});

test('a label outside the classes costs the largest loss there is', async () => {
  const got = await runPlans([planSoftmaxCrossEntropy(2, 3, 0, gpu.limits)], {
    logits: new Float32Array(6),
    labels: Int32Array.of(-1, 3),
  });
  for (const loss of Array.from(got['loss'] ?? [])) expect(loss).toBeGreaterThan(3e38);
});

test('no classes are refused', () => {
  expect(() => planSoftmaxCrossEntropy(4, 0, 0, gpu.limits)).toThrow(/at least one class/);
});

test('a smoothing of 1 leaves nothing to learn and is refused', () => {
  expect(() => planSoftmaxCrossEntropy(4, 3, 1, gpu.limits)).toThrow(/smoothing must be in \[0, 1\), got 1/);
});

test('scale-rows', async () => {
  const [x, scale] = [random(7 * 131, 1), random(7, 2)];
  const { y } = await runPlans([planScaleRows(7, 131, gpu.limits)], { x, scale });
  expectClose(
    y ?? [],
    Array.from(x, (v, i) => v * (scale[Math.floor(i / 131)] ?? NaN)),
    EPSILON,
  );
});
