// Training on several ranks, each a process with a device of its own, against the same training by one.
import { beforeAll, describe, expect, test } from 'vitest';
import { noAdapter } from '../testing/backends.ts';
import { relativeError } from '../testing/numbers.ts';
import type { RankJob, RankResult } from '../testing/rank-job.ts';
import { runRanks } from '../testing/ranks.ts';
import { stepShareOf, stepShareSizes } from './step-share.ts';

/** 12 images in a step of all ranks: 10 steps in 2 epochs of 58 images, whose last batch has 10. */
const JOB: RankJob = { backend: 'thaw', thaw: 'all', batchNorm: 'frozen', batchSize: 12, images: 58, epochs: 2 };

function expectClose(got: RankResult | undefined, want: RankResult | undefined, tolerance: number): void {
  if (!got || !want) throw new Error('a rank has no result');
  expect([...got.variables.keys()]).toEqual([...want.variables.keys()]);
  for (const [name, { data }] of want.variables)
    expect(relativeError(got.variables.get(name)?.data ?? [], data), name).toBeLessThan(tolerance);
}

describe.skipIf(noAdapter)(`ranks${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  let alone: RankResult | undefined;
  beforeAll(async () => {
    [alone] = await runRanks(1, JOB);
  });

  test.each([
    [2, 6],
    [3, 4],
  ])('%d ranks of batch %d end where one of batch 12 does', async (size, batchSize) => {
    const results = await runRanks(size, { ...JOB, batchSize });
    // Sums of float32 in another order: 10 steps of roundings of 6e-8, and what the network makes of them.
    for (const result of results) {
      expectClose(result, alone, 2e-5);
      expect(result.variables).toEqual(results[0]?.variables);
      const [first, second] = alone?.history ?? [];
      const [mine, mineThen] = result.history;
      expect(mine?.loss).toBeCloseTo(first?.loss ?? NaN, 4);
      expect(mineThen?.accuracy).toBeCloseTo(second?.accuracy ?? NaN, 10);
      expect(mineThen?.validationLoss).toBeCloseTo(second?.validationLoss ?? NaN, 4);
    }
    // Twice: in messages of some hundred bytes, too, each of which leaves when its gradients are there.
    const again = await runRanks(size, { ...JOB, batchSize, bucketBytes: 300 });
    expect(again.map(({ variables }) => variables)).toEqual(results.map(({ variables }) => variables));
  });
});

describe.skipIf(noAdapter)(`the ways of ranks${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  test('fewer images than ranks in the last step, and float16 on the way', async () => {
    // 3 ranks of 4, 49 images: the fifth step has one image, and two ranks run along on what they had.
    const job: RankJob = { ...JOB, images: 49, epochs: 1 };
    const [alone] = await runRanks(1, job);
    const whole = await runRanks(3, { ...job, batchSize: 4 });
    for (const result of whole) expectClose(result, alone, 2e-5);
    expect(whole[0]?.history[0]?.accuracy).toBeCloseTo(alone?.history[0]?.accuracy ?? NaN, 10);
    const halves = await runRanks(3, { ...job, batchSize: 4, compression: 'f16', bucketBytes: 300 });
    // Gradients twice rounded to 11 binary digits: 5e-4 each, and updates are a part of the weights.
    for (const result of halves) {
      expectClose(result, alone, 2e-3);
      expect(result.variables).toEqual(halves[0]?.variables);
    }
    expect(halves[0]?.variables).not.toEqual(whole[0]?.variables);
  });

  test('batch-norms in training, averages and dropout: the ranks stay together, and moving statistics are their mean', async () => {
    const job: RankJob = { ...JOB, batchNorm: 'keras', batchSize: 6, averageDecay: 0.9, dropout: 0.3 };
    const results = await runRanks(2, job);
    expect(results[1]?.variables).toEqual(results[0]?.variables);
    for (const { data } of results[0]?.variables.values() ?? []) expect(data.every(Number.isFinite)).toBe(true);
    const [first, second] = results[0]?.history ?? [];
    expect(second?.loss).toBeLessThan(first?.loss ?? NaN);
  });

  test('synchronised batch-norms: ranks end where one process does with all images in its batch', async () => {
    const job: RankJob = { ...JOB, batchNorm: 'keras', epochs: 1, syncBatchNorm: true };
    const [alone] = await runRanks(1, { ...job, syncBatchNorm: false });
    // The last step has 10 images: 3, 3 and 4.
    const results = await runRanks(3, { ...job, batchSize: 4 });
    for (const result of results) {
      expectClose(result, alone, 1e-4);
      expect(result.variables).toEqual(results[0]?.variables);
    }
    // Without, they do not: each rank has statistics of its own.
    const [local] = await runRanks(3, { ...job, batchSize: 4, syncBatchNorm: false });
    const [name = '', { data } = { data: [] }] = [...(alone?.variables ?? [])][0] ?? [];
    expect(relativeError(local?.variables.get(name)?.data ?? [], data)).toBeGreaterThan(1e-3);
  });

  test('a stop asked of one rank stops all after the same step, and other numbers of ranks go on from there', async () => {
    const [alone] = await runRanks(1, JOB);
    const stopped = await runRanks(2, { ...JOB, batchSize: 6, stopAfter: 7 });
    expect(stopped.map(({ interrupted }) => interrupted)).toEqual([true, true]);
    const resume = stopped[0]?.checkpoint;
    // Asked during step 7, agreed on before step 8: the third of the second epoch, with 36 of its 58 images behind.
    expect(resume?.progress).toMatchObject({ epoch: 1, step: 3, position: 36, totalSteps: 8, globalBatch: 12 });
    if (!resume) throw new Error('there is no checkpoint');
    const onThree = await runRanks(3, { ...JOB, batchSize: 4, resume });
    for (const result of onThree) expectClose(result, alone, 2e-5);
    // 3 ranks of 2: steps of 6 images, 10 in an epoch, of which 4 are left for 22 images.
    const [smaller] = await runRanks(3, { ...JOB, batchSize: 2, resume });
    expect(smaller?.checkpoint?.progress).toMatchObject({ epoch: 2, globalBatch: 6, totalSteps: 20 });
    const [accuracy] = [smaller?.history[1]?.accuracy];
    // All 58 images of the epoch were counted, each once.
    expect(((accuracy ?? NaN) * 58) % 1).toBeCloseTo(0, 6);
  });
});

test('without a device that captures, the host adds gradients up', async () => {
  const job: RankJob = { ...JOB, backend: 'cpu', thaw: 'none', epochs: 1, images: 25 };
  const [alone] = await runRanks(1, job);
  const results = await runRanks(3, { ...job, batchSize: 4 });
  for (const result of results) expectClose(result, alone, 1e-5);
});

test('shares are all of the order, once', () => {
  const order = Int32Array.from({ length: 23 }, (_, i) => i);
  // By hand: two steps of 3 ranks with 3 images each, and of the 5 that are left 1, 2 and 2.
  expect([...stepShareOf(order, 3, { rank: 0, size: 3 })]).toEqual([0, 1, 2, 9, 10, 11, 18]);
  expect([...stepShareOf(order, 3, { rank: 1, size: 3 })]).toEqual([3, 4, 5, 12, 13, 14, 19, 20]);
  expect([...stepShareOf(order, 3, { rank: 2, size: 3 })]).toEqual([6, 7, 8, 15, 16, 17, 21, 22]);
  expect([0, 1, 2].map((rank) => stepShareSizes(23, 3, { rank, size: 3 }))).toEqual([
    [3, 1],
    [3, 2],
    [3, 2],
  ]);
});
