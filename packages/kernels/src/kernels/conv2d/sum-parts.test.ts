/** Parts of sums added up, by one thread or by several, against float64. */
import { expect, test } from 'vitest';
import { elements, pipelineKey } from '../../runtime/plan.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { expectClose, random, storedBound, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { planSum } from './parts.ts';

/** Shapes and counts of a step of ResNet-50, and what divides by nothing; with the threads that a GPU puts to a vector. */
const cases: [shape: [number, number], count: number, shares: number | undefined][] = [
  [[1, 4], 2, 1],
  [[7, 20], 9, 4],
  [[13, 12], 37, 16],
  [[7, 5], 9, undefined],
  [[147, 64], 103, 16], // the stem
  [[64, 64], 483, 64],
  [[32, 64], 66, 16],
  [[128, 128], 251, 64],
  [[1200, 1000], 3, 1],
  [[512, 256], 16, 4],
];
const all = { bias: true, residual: true, relu: true };

describePrecisions((precision, draw) => {
  for (const tuning of [{}, { THREADS: 8, PER_THREAD: 64 }])
    test.each(cases)(`%j in %i parts, tuning ${JSON.stringify(tuning)}`, async (shape, count, shares) => {
      const size = elements(shape);
      // Products, as parts are sums of them: what sumBound() is about.
      const factors = random(count * size, 4);
      const parts = random(count * size, 1).map((v, i) => v * (factors[i] ?? NaN));
      const [bias, residual] = [random(shape[1], 2), draw(size, 3)];
      const sum = Float64Array.from({ length: size }, (_, i) => {
        let total = 0;
        for (let part = 0; part < count; part++) total += parts[part * size + i] ?? NaN;
        return total;
      });
      const plain = planSum(shape, count, gpu.limits, { precision, tuning });
      expect(plain.tuning['SHARES']).toBe('THREADS' in tuning ? undefined : shares);
      const got = await runPlans([plain], { parts });
      expectClose(got['sum'] ?? [], sum, storedBound(sum, sumBound(count), precision));
      const again = await runPlans([plain], { parts });
      expectClose(again['sum'] ?? [], got['sum'] ?? [], 0);
      const want = sum.map((v, i) => Math.max(0, v + (bias[i % shape[1]] ?? NaN) + (residual[i] ?? NaN)));
      const plan = planSum(shape, count, gpu.limits, { precision, tuning, epilogue: all });
      const after = await runPlans([plan], { parts, bias, residual });
      expectClose(after['sum'] ?? [], want, storedBound(want, sumBound(count + 2), precision));
    });
});

test('pipelines are few, and workgroups no larger than the device allows', () => {
  const plans = (most: number) =>
    cases.map(([shape, count]) => planSum(shape, count, { ...defaultLimits, maxComputeInvocationsPerWorkgroup: most }));
  expect(new Set(plans(256).map(pipelineKey)).size).toBe(5);
  for (const { tuning } of plans(128)) expect(tuning['THREADS']).toBeLessThanOrEqual(128);
});
