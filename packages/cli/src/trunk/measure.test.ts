// The measurement, on runners that move a clock of the test's own.
import { expect, test } from 'vitest';
import type { TrunkRunner } from '@thaw/model';
import { measureTrunk, type MeasureRequest, type Pool } from './measure.ts';

const IMAGES = Float32Array.from([1, 2, 3]);
const FEATURES = Float32Array.from([3, -4]);

let clock = 0;

/** Gives `features`; a batch takes so many milliseconds by the clock, one after the other. */
function runner(milliseconds: number, features = FEATURES): TrunkRunner {
  return {
    width: 2,
    inFlight: 2,
    prepare: () => Promise.resolve(),
    run() {
      clock += milliseconds;
      return Promise.resolve(features);
    },
    dispose: () => undefined,
  };
}

function pool(inner: TrunkRunner): Pool & { closed: boolean } {
  return {
    width: inner.width,
    inFlight: inner.inFlight,
    threads: 2,
    closed: false,
    prepare: () => Promise.resolve(),
    run: (images, size) => inner.run(images, size),
    dispose: () => undefined,
    close() {
      this.closed = true;
      return Promise.resolve();
    },
  };
}

/** Enough images that twenty seconds are exceeded on any device here. */
const AHEAD = 1e6;

function request(device: TrunkRunner, opened: Pool | Error, over: Partial<MeasureRequest> = {}): MeasureRequest & { warnings: string[] } {
  const warnings: string[] = [];
  return {
    device,
    openPool: () => (opened instanceof Error ? Promise.reject(opened) : Promise.resolve(opened)),
    images: IMAGES,
    size: 1,
    ahead: AHEAD,
    warn: (reason) => warnings.push(reason),
    warnings,
    now: () => clock,
    ...over,
  };
} // prettier-ignore

test('the faster pool is handed over, with both speeds', async () => {
  const fast = pool(runner(2));
  const { use, pool: won } = await measureTrunk(request(runner(40), fast));
  expect(won).toBe(fast);
  expect(fast.closed).toBe(false);
  expect(use).toEqual({ engine: 'wasm', threads: 2, imagesPerSecond: { device: 25, wasm: 500 } });
});

test('the slower pool is closed, and what it could do is known', async () => {
  const slow = pool(runner(40));
  const { use, pool: won } = await measureTrunk(request(runner(2), slow));
  expect(won).toBeUndefined();
  expect(slow.closed).toBe(true);
  expect(use).toEqual({ engine: 'device', threads: 2, imagesPerSecond: { device: 500, wasm: 25 } });
});

test('few images at the speed of the device start no threads', async () => {
  const unused = pool(runner(1));
  // At 50 images a second 999 take less than twenty seconds.
  const found = await measureTrunk(request(runner(20), unused, { ahead: 999 }));
  expect(found).toEqual({ use: undefined, pool: undefined });
  expect(unused.closed).toBe(false);
});

test('one slow round of three does not count', async () => {
  const quick = runner(1);
  let runs = 0;
  // After the warm-up and the first round of two, the fourth run is in the first of the rounds that count.
  const disturbed = { ...quick, run: (...batch: Parameters<TrunkRunner['run']>) => ((clock += ++runs === 4 ? 1000 : 0), quick.run(...batch)) }; // prettier-ignore
  const { use } = await measureTrunk(request(disturbed, pool(runner(2))));
  expect(use!.imagesPerSecond!.device).toBe(1000);
});

test('features that differ by more than rounding: the device, and a warning', async () => {
  const wrong = pool(runner(1, Float32Array.from([3, -4.02])));
  const asked = request(runner(20), wrong);
  expect(await measureTrunk(asked)).toEqual({ use: undefined, pool: undefined });
  expect(wrong.closed).toBe(true);
  // |(0, 0.02)| / |(3, -4)| = 4e-3
  expect(asked.warnings).toEqual([
    "Features of tfjs-wasm differ from the device's by 4.0e-3 of their length; rounding explains 2.1e-3. The trunk stays on the device.",
  ]);
  const nothing = request(runner(20), pool(runner(1, Float32Array.from([NaN, -4]))));
  expect((await measureTrunk(nothing)).use).toBeUndefined();
  expect(nothing.warnings).toHaveLength(1);
});

test('threads that do not start, or fail: the device, and a warning', async () => {
  const absent = request(runner(20), new Error('no threads here.'));
  expect((await measureTrunk(absent)).use).toBeUndefined();
  expect(absent.warnings).toEqual(['no threads here. The trunk stays on the device.']);

  const inner = runner(1);
  const failing = pool({ ...inner, run: () => Promise.reject(new Error('out of memory.')) });
  const asked = request(runner(20), failing);
  expect((await measureTrunk(asked)).use).toBeUndefined();
  expect(failing.closed).toBe(true);
  expect(asked.warnings).toHaveLength(1);
});

test('a device that fails is no reason to leave it: its error is the caller’s', async () => {
  const broken = { ...runner(1), run: () => Promise.reject(new Error('device lost')) };
  await expect(measureTrunk(request(broken, pool(runner(1))))).rejects.toThrow('device lost');
});

test('stopped in between: neither a warning nor a choice', async () => {
  const stop = new AbortController();
  const stopped = pool({ ...runner(1), run: () => (stop.abort(), Promise.reject(new Error('ended'))) });
  const asked = request(runner(20), stopped, { signal: stop.signal });
  await expect(measureTrunk(asked)).rejects.toThrow('ended');
  expect(stopped.closed).toBe(true);
  expect(asked.warnings).toEqual([]);
});
