// The gradient of training batch-norm against float64.
import { test } from 'vitest';
import { elements } from '../../runtime/plan.ts';
import { EPSILON, expectClose, random, storedBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { cases, quickCases, wholeCases } from '../batch-norm-train/batch-norm-train.cases.ts';
import { batchNormGradReference, batchNormReference } from '../batch-norm-train/batch-norm-train.ref.ts';
import { defaultTilings, type Tiling } from '../../tuning/tilings.ts';
import { planBatchNormBackwardWhole } from './batch-norm-train-backward-whole.plan.ts';
import { planBatchNormTrainBackward } from './batch-norm-train-backward.plan.ts';

// Larger than ResNet's 1e-5, so that one row (variance 0) does not magnify rounding by 1 / epsilon.
const epsilon = 1e-3;

const { channels: ofGpus = {} } = defaultTilings(
  { isSoftware: false, subgroupSize: 32, matrixUnit: undefined },
  gpu.limits,
);
// prettier-ignore
const variants: (readonly [Tiling, boolean])[] = [
  ...(ofGpus.whole ?? []).map((tuning) => [{ whole: [tuning] }, true] as const),
  [ofGpus, false],
  [{ wide: { LANES: 2, ROWS: 4, BLOCK: 2 }, merge: { LANES: 4, ROWS: 16 }, workgroups: 3 }, false],
  ...[{}, { LANES: 16, ROWS: 16 }, { LANES: 8, ROWS: 1 }].flatMap((direct) =>
    [false, true].map((isWhole) => [{ direct }, isWhole] as const),
  ),
];
describePrecisions((precision, draw) => {
  // How numbers are stored has nothing to do with the tiling: the smallest will do for float16.
  for (const [tiling, isWhole] of precision === 'float32'
    ? variants
    : [[ofGpus, true] as const, [ofGpus, false] as const, ...variants.slice(-2)])
    test.each(isWhole && tiling.whole ? quickCases : isWhole ? wholeCases : cases)(
      `batch-norm-train-backward $name ${JSON.stringify(tiling)}${isWhole ? ', one dispatch' : ''}`,
      async ({ shape, relu, residual: hasResidual }) => {
        const channels = shape[3];
        const rows = elements(shape) / channels;
        const x = draw(elements(shape), 1);
        const dy = draw(elements(shape), 5);
        const gamma = random(channels, 2);
        const residual = hasResidual ? draw(elements(shape), 4) : undefined;
        const s = { rows, channels, epsilon, relu, x, gamma, beta: random(channels, 3), residual };
        const forward = batchNormReference(s);
        const y = Float32Array.from(forward.y);
        const gradient = { shape, epsilon, relu, hasResidual };
        const got = await runPlans(
          isWhole
            ? [planBatchNormBackwardWhole(gradient, gpu.limits, { ...tiling, wholeRows: rows }, precision)!]
            : planBatchNormTrainBackward(gradient, gpu.limits, tiling, precision),
          { dy, x, y, gamma, mean: Float32Array.from(forward.mean), variance: Float32Array.from(forward.variance) },
        );
        const want = batchNormGradReference(s, dy, y);
        // Sums of `rows` terms of size at most max |xhat| <= 2 / deviation; a thread adds at most rows / 8 of them in a row.
        const deviation = forward.variance.map((v) => Math.sqrt(v + epsilon));
        const sumBounds = deviation.map((d) => 4 * (rows / 8 + 16) * Math.sqrt(rows) * EPSILON * (2 / d + 1));
        expectClose(got['dgamma'] ?? [], want.dgamma, sumBounds);
        expectClose(got['dbeta'] ?? [], want.dbeta, sumBounds);
        const bounds = want.dx.map((_, i) => {
          const d = deviation[i % channels] ?? 1;
          return (16 * EPSILON * (2 / d + 1) ** 2 + ((sumBounds[i % channels] ?? 0) / rows) * (2 / d + 1)) / d;
        });
        expectClose(got['dx'] ?? [], want.dx, storedBound(want.dx, bounds, precision));
        if (hasResidual) expectClose(got['dresidual'] ?? [], want.dresidual, 0);
      },
    );
});
