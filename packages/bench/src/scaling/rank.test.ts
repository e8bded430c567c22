// One rank's measurement on a device, and the figures of several put together by hand. Jobs of two ranks: the command's tests.
import type { Group } from '@thaw/model';
import { describe, expect, test } from 'vitest';
import { thawEngine } from '../engines/thaw.ts';
import { noAdapter, testBackend } from '../testing/device.ts';
import { STEP_CASES } from '../workloads/step.ts';
import { sentBytes } from './counted-group.ts';
import { benchScaling, summarise, type RankFigures } from './rank.ts';

/** A job of one. */
const alone: Group = {
  rank: 0,
  size: 1,
  seconds: 0,
  sum: (values, into = values) => Promise.resolve(into === values ? undefined : into.set(values)),
  gather: (bytes) => Promise.resolve([Uint8Array.from(bytes)]),
  allToAll: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
};
const head = STEP_CASES.find(({ name }) => name === 'head')!;
const backend = testBackend('the scaling of a step');

test.skipIf(noAdapter).each([
  // The article's head has 66,322 parameters in 8 tensors, each padded to 512 bytes in an arena: 4 more bytes of 126 numbers.
  ['none', 1, 4 * 66_322],
  ['f16', 2, 2 * 2 * 66_322],
] as const)('a rank by itself: gradients in %s', async (compression, calls, bytes) => {
  const engine = thawEngine(backend());
  const options = { engine, group: alone, compression, imageSize: 32, batchSize: 2, seed: 1, rounds: 1, seconds: 1 };
  const row = await benchScaling(head, options);
  expect(row).toMatchObject({ case: 'head', ranks: 1, compression, calls, bytesSent: 0 });
  expect(row.bytesOut).toBeGreaterThanOrEqual(bytes);
  expect(row.bytesOut).toBeLessThanOrEqual(bytes + calls * 8 * 512);
  expect(row.perRank).toHaveLength(1);
});

describe('figures of two ranks', () => {
  const spread = (median: number) => ({ median, min: median - 1, max: median + 1, rounds: 3 });
  const rank = (slower: number): RankFigures => ({
    alone: spread(100 + slower),
    together: spread(150),
    messages: spread(60 - slower),
    communication: spread(80),
    variables: 'aa',
  });
  const options = { group: { ...alone, size: 2 }, compression: 'none', imageSize: 32, batchSize: 6 } as const;

  test('the slowest counts; what is longer than alone is exposed', () => {
    const calls = [{ kind: 'sum', bytes: 1000, back: 1000 }, { kind: 'sum', bytes: 24, back: 24 }] as const; // prettier-ignore
    expect(summarise(head, options, calls, [rank(0), rank(20)])).toMatchObject({
      alone: spread(120),
      messages: spread(60),
      exposedMilliseconds: 30,
      efficiency: 0.8,
      imagesPerSecond: 80,
      calls: 2,
      bytesOut: 1024,
      bytesBack: 1024,
      bytesSent: 1024,
    });
  });

  test('ranks that are out of step are refused', () => {
    expect(() => summarise(head, options, [], [rank(0), { ...rank(0), variables: 'ab' }])).toThrow(
      'head: after one step together, rank 1 has other weights than rank 0',
    );
  });
});

test('a rank sends twice all but its part of a sum, and gathers to everyone', () => {
  expect(sentBytes({ kind: 'sum', bytes: 400, back: 400 }, 4)).toBe(600);
  expect(sentBytes({ kind: 'allToAll', bytes: 400, back: 400 }, 4)).toBe(300);
  expect(sentBytes({ kind: 'gather', bytes: 100, back: 400 }, 4)).toBe(300);
});
