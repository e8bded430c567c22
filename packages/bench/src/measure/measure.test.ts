// Figures and comparisons by hand calculation.
import { describe, expect, test, vi } from 'vitest';
import type { Workload } from '../workloads/workload.ts';
import { checkAgreement, relativeDifference } from './agreement.ts';
import { interleave } from './interleave.ts';
import { floorMilliseconds, geometricMean, spread } from './statistics.ts';

test('a spread is the median and its range', () => {
  expect(spread([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, rounds: 3 });
  expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, rounds: 4 });
  expect(() => spread([])).toThrow(/not one round/);
});

test('a geometric mean, of long lists too', () => {
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
  expect(geometricMean(Array.from({ length: 500 }, () => 1e6))).toBeCloseTo(1e6, 3);
  expect(geometricMean([])).toBeUndefined();
});

test('the floor is the longer of arithmetic and traffic', () => {
  const ceilings = { flops: 50e9, bytesPerSecond: 10e9 };
  expect(floorMilliseconds({ flops: 1e9, bytes: 10e6 }, ceilings)).toBeCloseTo(20, 9);
  expect(floorMilliseconds({ flops: 1e6, bytes: 10e6 }, ceilings)).toBeCloseTo(1, 9);
});

describe('agreement', () => {
  const a = Float32Array.of(3, 4);

  test('is the length of the difference over the length of the reference', () => {
    expect(relativeDifference(Float32Array.of(3, 4.5), a)).toBeCloseTo(0.1, 12);
    expect(relativeDifference(a, a)).toBe(0);
    expect(relativeDifference(a, Float32Array.of(0, 0))).toBe(Infinity);
    expect(relativeDifference(Float32Array.of(3, NaN), a)).toBeNaN();
  });

  test('names the tensor that differs most', () => {
    const outputs = { dx: Float32Array.of(3, 4.0005), dw: a };
    expect(checkAgreement('step', ['thaw', outputs], ['peer', { dx: a, dw: a }], () => 1e-3)).toMatchObject({
      worst: 'dx',
    });
  });

  test.each([
    ['a wrong value', { dx: Float32Array.of(4, 3) }, /dx of thaw differs from peer's by 2\.83e-1/],
    ['a NaN', { dx: Float32Array.of(3, NaN) }, /differs/],
    ['a missing tensor', {}, /no values of dx, peer 2/],
    ['a tensor of another size', { dx: Float32Array.of(3) }, /1 values of dx/],
  ])('refuses %s', (_, outputs: Record<string, Float32Array>, message) => {
    expect(() => checkAgreement('step', ['thaw', outputs], ['peer', { dx: a }], () => 1e-3)).toThrow(message);
  });

  test('refuses a reference that is zero throughout', () => {
    const zero = { dx: new Float32Array(2) };
    expect(() => checkAgreement('step', ['thaw', zero], ['peer', zero], () => 1e-3)).toThrow(/proves nothing/);
  });
});

describe('interleaved rounds', () => {
  /** Takes `milliseconds` of a clock that stands still otherwise. */
  function fake(milliseconds: number, log: string[], name: string): Workload {
    return {
      verify: () => Promise.resolve({}),
      close: () => Promise.resolve(),
      time: (repetitions) => {
        log.push(`${name} x${repetitions}`);
        vi.advanceTimersByTime(milliseconds * repetitions);
        return Promise.resolve({ milliseconds, hostMilliseconds: 1, dispatches: 7, peakBytes: 8 });
      },
    };
  }

  test('take turns, fill a slot, and leave out who would go over the time', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const log: string[] = [];
    const workloads = new Map([
      ['fast', fake(50, log, 'fast')],
      ['slow', fake(9000, log, 'slow')],
    ]);
    const measured = await interleave(workloads, { rounds: 3, seconds: 12 });
    vi.useRealTimers();
    // Once to know how long it takes, half a second to warm up.
    expect(log).toEqual(['fast x1', 'fast x5', 'fast x5', 'fast x5', 'slow x1', 'fast x5', 'fast x5']);
    expect(measured.get('fast')).toMatchObject({
      milliseconds: { median: 50, rounds: 3 },
      dispatches: 7,
      peakBytes: 8,
    });
    expect(measured.get('slow')?.milliseconds.rounds).toBe(1);
  });
});
