// Waiting in naps: few turns of the event loop, and what was waited for comes through.
import { setTimeout as after } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { Napping } from './napping.ts';

test('a wait of 100 ms takes at most 250 turns of the event loop', async () => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const work = after(100, 'done');
  expect(await new Napping().during(work)).toBe('done');
  isOver = true;
  // Naps grow by a sixteenth of the wait: ln(16 ms / 10 us) / ln(17 / 16) = 122 of them to 16 ms, and one each ms from there
  // on. Without naps there are some tens of thousands.
  expect(turns).toBeLessThan(250);
});

test('waits one after the other nap no more than one alone', async () => {
  const naps = vi.spyOn(Atomics, 'wait');
  const napping = new Napping();
  for (let i = 0; i < 100; i++) await napping.during(Promise.resolve());
  naps.mockClear();
  let turns = 0;
  const work = after(20);
  const count = (): void => void (turns++, setImmediate(count).unref());
  setImmediate(count).unref();
  await napping.during(work);
  // One turn that began before the count did.
  expect(naps.mock.calls.length).toBeLessThanOrEqual(turns + 1);
  naps.mockRestore();
});

test('what fails fails, and another wait is not ended by it', async () => {
  const naps = new Napping();
  const other = naps.during(after(20, 'other'));
  await expect(naps.during(Promise.reject(new Error('no such device')))).rejects.toThrow('no such device');
  expect(await other).toBe('other');
});
