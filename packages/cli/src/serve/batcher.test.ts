// Who shares a pass with whom, and what happens when one fails or too many wait.
import { expect, test } from 'vitest';
import { gate, type Gate } from '../testing/gate.ts';
import { Batcher, BusyError } from './batcher.ts';

/** Doubles every value; passes are let go one by one. */
function batcher(maxWaiting = 100) {
  const sizes: number[] = [];
  const gates: Gate[] = [];
  const made = new Batcher({
    batchSize: 3,
    maxWaiting,
    run: async (images, size) => {
      sizes.push(size);
      const opened = gate();
      gates.push(opened);
      await opened.promise;
      return images.map((value) => 2 * value);
    },
  });
  return { made, sizes, gates };
}
const image = (value: number): Float32Array => Float32Array.of(value, -value);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what arrives while a pass runs goes together, up to a batch; each gets its own values', async () => {
  const { made, sizes, gates } = batcher();
  const answers = [1, 2].map((value) => made.submit(image(value)));
  await turn();
  answers.push(...[3, 4, 5, 6].map((value) => made.submit(image(value))));
  expect(made.waiting).toBe(4);
  for (const expected of [[2], [2, 3], [2, 3, 1]]) {
    await turn();
    expect(sizes).toEqual(expected);
    gates.at(-1)?.resolve();
  }
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5, 6].map((value) => Float32Array.of(2 * value, -2 * value)));
  await made.idle();
  expect(made.waiting).toBe(0);
});

test('a pass that fails fails its own images only', async () => {
  const { made, gates } = batcher();
  const first = made.submit(image(1));
  await turn();
  const second = made.submit(image(2));
  gates[0]?.reject(new Error('device lost'));
  await expect(first).rejects.toThrow('device lost');
  await turn();
  gates[1]?.resolve();
  expect(await second).toEqual(Float32Array.of(4, -4));
});

test('where too many wait, the next is turned away', async () => {
  const { made, gates } = batcher(2);
  const taken = made.submit(image(1));
  await turn();
  const waiting = [made.submit(image(2)), made.submit(image(3))];
  await expect(made.submit(image(4))).rejects.toThrow(BusyError);
  gates[0]?.resolve();
  await turn();
  gates[1]?.resolve();
  await Promise.all([taken, ...waiting]);
});
