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
    const again = await runRanks(size, { ...JOB, batchSize });
    expect(again.map(({ variables }) => variables)).toEqual(results.map(({ variables }) => variables));
  });
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
