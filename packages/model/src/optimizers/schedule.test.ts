// Schedules against their closed forms, and what holds for every one of them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateShare, SCHEDULES, type Schedule } from './schedule.ts';

const shares = (schedule: Schedule, total: number): number[] =>
  Array.from({ length: total }, (_, step) => rateShare(schedule, step, total));

describe('by hand', () => {
  test('constant, with and without a warm-up', () => {
    expect(shares({ kind: 'constant' }, 3)).toEqual([1, 1, 1]);
    expect(shares({ kind: 'constant', warmup: 0.5 }, 8)).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1, 1]);
  });

  test('cosine: 1, then cos^2 of a quarter turn', () => {
    // (1 + cos(pi t)) / 2 at t = 0, 1/4, 1/2, 3/4.
    const want = [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
    shares({ kind: 'cosine' }, 4).forEach((share, i) => expect(share).toBeCloseTo(want[i]!, 15));
    const warm = shares({ kind: 'cosine', warmup: 1 / 3 }, 6);
    [0.5, 1, ...want].forEach((share, i) => expect(warm[i]).toBeCloseTo(share, 15));
  });

  test('one-cycle: PyTorch OneCycleLR with pct_start 0.4 over 11 steps', () => {
    // torch.optim.lr_scheduler.OneCycleLR anneals from 1/25 at step 0 to 1 at step 0.4 * 11 and to 1/250000 at step 10; here
    // the top is at the whole step 4.
    const got = shares({ kind: 'one-cycle', warmup: 0.4 }, 11);
    const half = (from: number, to: number, t: number): number => to + ((from - to) / 2) * (Math.cos(Math.PI * t) + 1);
    expect(got[0]).toBeCloseTo(0.04, 15);
    expect(got[2]).toBeCloseTo(half(0.04, 1, 0.5), 15);
    expect(got[4]).toBe(1);
    expect(got[7]).toBeCloseTo(half(1, 4e-6, 0.5), 15);
    expect(got[10]).toBeCloseTo(4e-6, 15);
  });
});

test('rates are positive, at most 1, rise through the warm-up and fall after it', () => {
  const schedules = fc.record({ kind: fc.constantFrom(...SCHEDULES), warmup: fc.option(fc.double({ min: 0, max: 0.9, noNaN: true }), { nil: undefined }) }); // prettier-ignore
  fc.assert(
    fc.property(schedules, fc.integer({ min: 1, max: 300 }), (schedule, total) => {
      const all = shares(schedule, total);
      expect(all.every((share) => share > 0 && share <= 1)).toBe(true);
      const top = Math.round((schedule.warmup ?? (schedule.kind === 'one-cycle' ? 0.3 : 0)) * total);
      for (let step = 1; step < total; step++) {
        if (step < top) expect(all[step]).toBeGreaterThan(all[step - 1]!);
        else if (step > top) expect(all[step]).toBeLessThanOrEqual(all[step - 1]!);
      }
    }),
  );
});

test('a warm-up that is no share is refused', () => {
  expect(() => rateShare({ kind: 'cosine', warmup: 1 }, 0, 10)).toThrow(
    'the warm-up must be in [0, 1) of the steps, got 1.',
  );
});
