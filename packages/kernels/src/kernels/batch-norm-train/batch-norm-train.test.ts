// Training batch-norm against float64.
import { describe, expect, test } from 'vitest';
import { elements, pipelineKey } from '../../runtime/plan.ts';
import { EPSILON, expectClose, random, storedBound } from '../../testing/compare.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import { cases, quickCases, wholeCases } from './batch-norm-train.cases.ts';
import { planBatchNormWhole } from './batch-norm-train-whole.plan.ts';
import { planBatchStatistics, planNormalise } from './batch-norm-train.plan.ts';
import { splitRows } from './pass.ts';
import { batchNormReference, statisticsReference } from './batch-norm-train.ref.ts';
import { defaultTilings, type Tiling } from '../../tuning/tilings.ts';

const epsilon = 1.001e-5;
const tunings: Record<string, number>[] = [
  {},
  { LANES: 16, ROWS: 16, BLOCK: 4 },
  { LANES: 64, ROWS: 1, BLOCK: 1 },
  { LANES: 8, ROWS: 1 },
];

const { channels: ofGpus = {} } = defaultTilings(
  { isSoftware: false, subgroupSize: 32, matrixUnit: undefined },
  gpu.limits,
);
// prettier-ignore
const variants: (readonly [Tiling, boolean])[] = [
  ...(ofGpus.whole ?? []).map((tuning) => [{ whole: [tuning] }, true] as const),
  [ofGpus, false],
  // A few chunks, and a merger that has more threads than there are chunks.
  [{ wide: { LANES: 2, ROWS: 4, BLOCK: 2 }, merge: { LANES: 4, ROWS: 16 }, workgroups: 3 }, false],
  ...tunings.flatMap((direct) => [false, true].map((isWhole) => [{ direct }, isWhole] as const)),
];
describePrecisions((precision, draw) => {
  // How numbers are stored has nothing to do with the tiling: the smallest will do for float16.
  for (const [tiling, isWhole] of precision === 'float32'
    ? variants
    : [[ofGpus, true] as const, [ofGpus, false] as const, ...variants.slice(-2)])
    test.each(isWhole && tiling.whole ? quickCases : isWhole ? wholeCases : cases)(
      `batch-norm-train $name ${JSON.stringify(tiling)}${isWhole ? ', one dispatch' : ''}`,
      async ({ shape, relu, residual: hasResidual }) => {
        const channels = shape[3];
        const rows = elements(shape) / channels;
        const x = draw(elements(shape), 1);
        const gamma = random(channels, 2);
        const beta = random(channels, 3);
        const residual = hasResidual ? draw(elements(shape), 4) : undefined;
        const norm = { shape, epsilon, hasGamma: true, hasBeta: true, hasResidual, relu };
        const whole = { ...tiling, wholeRows: rows };
        const plans = isWhole
          ? [planBatchNormWhole({ ...norm, momentum: undefined }, gpu.limits, whole, precision)!]
          : [
              ...planBatchStatistics(shape, gpu.limits, tiling, undefined, precision),
              planNormalise(norm, gpu.limits, tiling, precision),
            ];
        const got = await runPlans(plans, { x, gamma, beta, residual });
        const want = batchNormReference({ rows, channels, epsilon, relu, x, gamma, beta, residual });
        // Blocks, threads and chunks are summed pairwise-like: an error of a few roundings of values of size 2 per level.
        const levels = 8 + Math.ceil(rows / 64) / 8 + Math.log2(rows + 1);
        expectClose(got['mean'] ?? [], want.mean, 4 * levels * EPSILON);
        expectClose(got['variance'] ?? [], want.variance, 8 * levels * EPSILON);
        // y = (x - mean) / deviation * gamma + ...: errors of the mean over the deviation, and of the variance relative to it.
        const bound = want.y.map((_, i) => {
          const variance = (want.variance[i % channels] ?? 0) + epsilon;
          const deviation = Math.sqrt(variance);
          return (
            (4 * levels * EPSILON) / deviation +
            ((8 * levels * EPSILON) / variance) * (2 / deviation) +
            16 * EPSILON * (2 / deviation + 2)
          );
        });
        expectClose(got['y'] ?? [], want.y, storedBound(want.y, bound, precision));
      },
    );
});

test('a mean of 1e4 does not drown a variance of 1e-2', async () => {
  const shape = [4, 29, 31, 5];
  // Uniform in +-0.1 sqrt(3): variance 1e-2. The float32 values themselves are the definition's input.
  const x = random(elements(shape), 7).map((v) => 1e4 + 0.1 * Math.sqrt(3) * v);
  const want = statisticsReference(x, elements(shape) / 5, 5);
  const { mean, variance } = await runPlans(planBatchStatistics(shape, gpu.limits), { x });
  // The mean is rounded once, to a spacing of 2^-10; the deviations are exact differences of size 0.35.
  expectClose(mean ?? [], want.mean, 2 ** -11 + 1e-6);
  expectClose(variance ?? [], want.variance, 1e-2 * 64 * EPSILON);
});

test('an outlier in the first row costs no accuracy either', async () => {
  const shape = [3, 17, 19, 1];
  const x = random(elements(shape), 8);
  x[0] = 100;
  const want = statisticsReference(x, elements(shape), 1);
  const { variance } = await runPlans(planBatchStatistics(shape, gpu.limits), { x });
  expectClose(variance ?? [], want.variance, (want.variance[0] ?? 0) * 64 * EPSILON);
});

test('rows are split into enough chunks, and no more', () => {
  expect(splitRows('k', [32, 112, 112, 64], 32, 8, 1024)).toEqual({
    rows: 401_408,
    channels: 64,
    chunkRows: 784,
    chunks: 512,
  });
  expect(splitRows('k', [32, 1, 1, 2048], 32, 8, 1024)).toEqual({ rows: 32, channels: 2048, chunkRows: 64, chunks: 1 });
  expect(() => splitRows('k', [0, 7, 7, 64], 32, 8, 1024)).toThrow(/statistics need at least one row/);
});

test('a pipeline key never holds a shape', () => {
  const keys = cases.map(({ shape }) => planBatchStatistics(shape, gpu.limits).map(pipelineKey).join());
  // One where the rows are split, one where they are not.
  expect(new Set(keys).size).toBe(2);
});

test('one dispatch is for few rows, for fours of channels, and for devices that bind nine buffers', () => {
  const norm = { epsilon, hasResidual: false, relu: false, momentum: undefined };
  const plan = (side: number, limits = gpu.limits, wholeRows?: number, channels = 4) =>
    planBatchNormWhole({ ...norm, shape: [2, side, side, channels] }, limits, wholeRows === undefined ? {} : { wholeRows }); // prettier-ignore
  expect(plan(32)).toBeDefined();
  expect(plan(33)).toBeUndefined();
  expect(plan(4, gpu.limits, 31)).toBeUndefined();
  expect(plan(4, gpu.limits, 32, 6)).toBeUndefined();
  expect(plan(4, { ...defaultLimits, maxStorageBuffersPerShaderStage: 8 } as typeof gpu.limits)).toBeUndefined();
});

test('on a GPU narrow tensors of many rows get many workgroups, of as many threads as its limits allow', () => {
  const norm = { epsilon, hasResidual: false, relu: false, momentum: undefined };
  const made = (rows: number, channels: number, limits: Partial<typeof defaultLimits> = {}) => {
    const within = { ...defaultLimits, maxStorageBuffersPerShaderStage: 10, ...limits };
    const { channels: tiling } = defaultTilings({ isSoftware: false, subgroupSize: 32, matrixUnit: undefined }, within);
    const plan = planBatchNormWhole({ ...norm, shape: [rows, 1, 1, channels] }, within, tiling);
    const { LANES = 0, ROWS = 0 } = plan?.tuning ?? {};
    return plan && [plan.workgroups[0], LANES * ROWS];
  };
  const large = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 49_152 };
  expect(made(2048, 64, large)).toEqual([16, 512]);
  expect(made(512, 128, large)).toEqual([16, 512]);
  expect(made(32, 2048, large)).toEqual([64, 256]);
  expect(made(2049, 64, large)).toBeUndefined();
  expect(made(2048, 64)).toEqual([16, 256]);
  expect(made(2049, 64)).toBeUndefined();
  // 512 threads take 9,216 bytes: 36 for each of half of them.
  expect(made(2048, 64, { ...large, maxComputeWorkgroupStorageSize: 9215 })).toEqual([16, 256]);
});

const whole = (shape: number[]) =>
  [planBatchNormWhole({ shape, epsilon: 1, hasResidual: false, relu: false, momentum: 0.9 }, gpu.limits)!]; // prettier-ignore
const parted = (workgroups: number) => (shape: number[]) =>
  planBatchStatistics(shape, gpu.limits, { direct: { LANES: 8, ROWS: 1 }, workgroups }, 0.9);
describe.each([
  ['in one pass', parted(1), 1, [3, 5, 33]],
  ['split', parted(1024), 1024, [3, 5, 33]],
  ['with the normalisation in one dispatch', whole, 1, [12, 20, 132]],
] as const)('moving statistics, rows %s', (_, plansOf, workgroups, [few, some, many]) => {
  test.each([
    [2, 5, 7, few],
    [1, 1, 1, some],
    [4, 13, 11, many],
  ])('[%i, %i, %i, %i]', async (...shape) => {
    const channels = shape[3];
    const rows = elements(shape) / channels;
    const x = random(elements(shape), 1);
    const movingMean = random(channels, 2);
    const movingVariance = random(channels, 3);
    const plans = plansOf(shape);
    expect(plans.length).toBe(workgroups === 1 || rows <= 8 ? 1 : 2);
    const [gamma, beta] = [random(channels, 4), random(channels, 5)];
    const got = await runPlans(plans, { x, gamma, beta, movingMean, movingVariance });
    const { mean, variance } = statisticsReference(x, rows, channels);
    const unbiased = rows / Math.max(1, rows - 1);
    // As the statistics themselves, of which a tenth counts, and three roundings of numbers of size at most 1.
    const bound = 4 * (8 + Math.log2(rows + 1)) * EPSILON;
    expectClose(got['movingMean'] ?? [], movingMean.map((v, c) => 0.9 * v + 0.1 * (mean[c] ?? NaN)), bound); // prettier-ignore
    expectClose(got['movingVariance'] ?? [], movingVariance.map((v, c) => 0.9 * v + 0.1 * unbiased * (variance[c] ?? NaN)), bound); // prettier-ignore
  });
});
