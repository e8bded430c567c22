// Softmax cross-entropy from sparse labels against float64.
import { expect, test } from 'vitest';
import { EPSILON, expectClose, random, randomIntegers } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planScaleRows, planSoftmaxCrossEntropy } from './softmax-cross-entropy.plan.ts';

function reference(
  logits: ArrayLike<number>,
  labels: Int32Array,
  classes: number,
): { loss: number[]; gradient: number[] } {
  const loss: number[] = [];
  const gradient: number[] = [];
  labels.forEach((label, row) => {
    const values = Array.from({ length: classes }, (_, c) => logits[row * classes + c] ?? NaN);
    const largest = Math.max(...values);
    const exponentials = values.map((v) => Math.exp(v - largest));
    const sum = exponentials.reduce((a, b) => a + b);
    loss.push(Math.log(sum) + largest - (values[label] ?? NaN));
    gradient.push(...exponentials.map((e, c) => e / sum - Number(c === label)));
  });
  return { loss, gradient };
}

for (const tuning of [{}, { THREADS: 32 }])
  test.each([
    [1, 1],
    [7, 3],
    [32, 10],
    [5, 131],
    [3, 1000],
  ])(`softmax-cross-entropy of %i rows and %i classes ${JSON.stringify(tuning)}`, async (rows, classes) => {
    const logits = random(rows * classes, 1).map((v) => 20 * v);
    const labels = randomIntegers(rows, classes, 2);
    const got = await runPlans([planSoftmaxCrossEntropy(rows, classes, gpu.limits, tuning)], { logits, labels });
    const want = reference(logits, labels, classes);
    // Differences of logits up to 40 are rounded, and WGSL allows exp(d) an error of (3 + 2 |d|) units in the last place.
    expectClose(got['loss'] ?? [], want.loss, 8 * 40 * EPSILON + 2 * 83 * EPSILON);
    expectClose(got['gradient'] ?? [], want.gradient, 4 * 83 * EPSILON);
  });

test('a label outside the classes costs the largest loss there is', async () => {
  const got = await runPlans([planSoftmaxCrossEntropy(2, 3, gpu.limits)], {
    logits: new Float32Array(6),
    labels: Int32Array.of(-1, 3),
  });
  for (const loss of Array.from(got['loss'] ?? [])) expect(loss).toBeGreaterThan(3e38);
});

test('no classes are refused', () => {
  expect(() => planSoftmaxCrossEntropy(4, 0, gpu.limits)).toThrow(/at least one class/);
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
