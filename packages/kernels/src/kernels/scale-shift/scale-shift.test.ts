// Scale and shift per channel, its gradient and its sums, against float64.
import { describe, test } from 'vitest';
import { elements } from '../../runtime/plan.ts';
import { EPSILON, expectClose, random, storedBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { planChannelSums } from '../batch-norm-train-backward/batch-norm-train-backward.plan.ts';
import { defaultTilings } from '../../tuning/tilings.ts';
import { cases } from '../batch-norm-train/batch-norm-train.cases.ts';
import { planScaleShift, planScaleShiftBackward } from './scale-shift.plan.ts';

const { channels: ofGpus = {} } = defaultTilings(
  { isSoftware: false, subgroupSize: 32, matrixUnit: undefined },
  gpu.limits,
);
const tilings = [['one channel', {}], ['four channels', ofGpus]] as const; // prettier-ignore
const at = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;

describePrecisions((precision, draw) => {
  describe.each(cases)('$name', ({ shape, relu, residual: hasResidual }) => {
    const channels = shape[3];
    const size = elements(shape);
    const [x, dy, scale, shift] = [draw(size, 1), draw(size, 2), random(channels, 3), random(channels, 4)];
    const residual = hasResidual ? draw(size, 5) : undefined;
    const y = Float32Array.from(x, (v, i) => {
      const sum = v * at(scale, i % channels) + at(shift, i % channels) + (residual ? at(residual, i) : 0);
      return relu ? Math.max(0, sum) : sum;
    });
    const masked = Float32Array.from(dy, (d, i) => (!relu || at(y, i) > 0 ? d : 0));
    const s = { shape, relu, hasResidual };

    test.each(tilings)('scale-shift, %s to a thread', async (_, tiling) => {
      const got = await runPlans([planScaleShift(s, gpu.limits, tiling, precision)], { x, scale, shift, residual });
      expectClose(got['y'] ?? [], y, storedBound(y, 8 * EPSILON, precision));
    });

    test.each(tilings)('scale-shift-backward, %s to a thread', async (_, tiling) => {
      const got = await runPlans([planScaleShiftBackward(s, gpu.limits, tiling, precision)], { dy, y, scale });
      const dx = masked.map((z, i) => z * at(scale, i % channels));
      expectClose(got['dx'] ?? [], dx, storedBound(dx, 2 * EPSILON, precision));
      if (hasResidual) expectClose(got['dresidual'] ?? [], masked, 0);
    });

    test.each(
      tilings.flatMap(
        ([name, tiling]) =>
          [
            ['x', name, tiling],
            ['none', name, tiling],
          ] as const,
      ),
    )('channel-sums, factor %s, %s to a thread', async (factor, _, tiling) => {
      const plans = planChannelSums({ shape, relu, factor, epsilon: 0 }, gpu.limits, tiling, precision);
      const got = await runPlans(plans, { dy, x, y });
      const first = new Float64Array(channels);
      const second = new Float64Array(channels);
      masked.forEach((z, i) => {
        first[i % channels] = at(first, i % channels) + z;
        second[i % channels] = at(second, i % channels) + z * at(x, i);
      });
      // A thread adds at most rows / 8 terms of size 1, whose partial sums grow like a random walk.
      const rows = size / channels;
      const bound = 4 * (rows / 8 + 16) * Math.sqrt(rows) * EPSILON;
      expectClose(got['first'] ?? [], first, bound);
      if (factor === 'x') expectClose(got['second'] ?? [], second, bound);
    });
  });
});
