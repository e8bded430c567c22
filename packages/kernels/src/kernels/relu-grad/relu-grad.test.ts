// The ReLU's gradient, and a grid folded over the device's limit.
import { expect, test } from 'vitest';
import { expectClose, random } from '../../testing/compare.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { planReluGrad } from './relu-grad.plan.ts';

describePrecisions((precision, draw) => {
  test.each([1, 997, 1024, 2 * 14 * 14 * 64])('relu-grad of %i elements', async (size) => {
    const [dy, y] = [draw(size, 1), draw(size, 2).map((v) => Math.max(0, v))];
    const { dx } = await runPlans([planReluGrad([size], gpu.limits, {}, precision)], { dy, y });
    const want = dy.map((d, i) => ((y[i] ?? 0) > 0 ? d : 0));
    expectClose(dx ?? [], want, 0);
  });
});

test('a grid over the limit is folded, and every element is still written', async () => {
  const size = 4 * 7 * 1024 + 5;
  const [dy, y] = [random(size, 1), new Float32Array(size).fill(1)];
  const plan = planReluGrad([size], { ...defaultLimits, maxComputeWorkgroupsPerDimension: 3 });
  expect(plan.workgroups).toEqual([3, 3, 1]);
  const { dx } = await runPlans([plan], { dy, y });
  expectClose(dx ?? [], dy, 0);
});
