// The workgroup memory that flat tiles take, by what Dawn's null device says of it.
import { describe, expect, test } from 'vitest';
import { PipelineCache } from '../../runtime/pipelines.ts';
import { plansOf } from '../../testing/convolutions.ts';
import { openNullDevice } from '../../testing/null-device.ts';
import { stagedBytes } from '../../tuning/legal.ts';
import { flatCases } from './conv2d.cases.ts';

describe('tiles need no more workgroup memory than is said of them', async () => {
  const pipelines = new PipelineCache(await openNullDevice());
  // The null device has 16 KiB of it, and says how much a larger tile takes; that is all it may object to.
  test.each([
    { TM: 8, TN: 8, COLS: 8, ROWS: 20, DEPTH: 16, BUFFERS: 2 },
    { TM: 4, TN: 4, COLS: 16, ROWS: 16, DEPTH: 16, BUFFERS: 2 },
    { TM: 4, TN: 4, COLS: 8, ROWS: 8, DEPTH: 32, BUFFERS: 2 },
    { TM: 8, TN: 4, COLS: 4, ROWS: 20, DEPTH: 16, BUFFERS: 2 },
  ])('%j', async (tuning) => {
    const plans = plansOf(flatCases[5]!.shape, { flat: [tuning] }, 'float16').flat();
    const results = await Promise.allSettled(plans.map((plan) => pipelines.get(plan).ready));
    const refusals = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    const bytes = refusals.map((one) => Number(/storage \((\d+) bytes\) is larger/.exec(one)?.[1]));
    for (const taken of bytes) expect(taken).toBeLessThanOrEqual(stagedBytes(tuning));
    expect(bytes.length).toBeGreaterThan(0);
  });
});
