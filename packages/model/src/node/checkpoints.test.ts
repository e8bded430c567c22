// A checkpoint comes back from its file as it was saved, with averages and without; a damaged one is refused, and the one
// before it used.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noise } from '../testing/tiny.ts';
import type { Checkpoint } from '../training/types.ts';
import { SafetensorsError, writeSafetensors } from '../weights/index.ts';
import { decodeCheckpoint, FileCheckpoints, loadCheckpoint } from './checkpoints.ts';

const tensors = (seed: number): Checkpoint['variables'] =>
  new Map(
    ['head/dense_0/kernel', 'conv1_bn/gamma'].map((name, i) => [name, { shape: [2, 3], data: noise(6, seed + i) }]),
  );

test.each([
  ['with averages', tensors(3)],
  ['without', undefined],
])('%s', async (_, average) => {
  const folder = await mkdtemp(join(tmpdir(), 'thaw-checkpoints-'));
  const progress = { epoch: 2, step: 1, lossSum: 3.5, correct: 4, seen: 9, totalSteps: 7, bestEpoch: 1, bestScore: 0.5, history: [], optimizerSteps: { 'conv1_bn/gamma': 7 } }; // prettier-ignore
  const checkpoint: Checkpoint = {
    variables: tensors(1),
    optimizer: new Map([['conv1_bn/gamma/m', { shape: [3], data: noise(3, 9) }]]),
    average,
    progress,
  };
  await new FileCheckpoints(folder).saveLast(checkpoint);
  expect(await loadCheckpoint(join(folder, 'last.safetensors'))).toEqual(checkpoint);
  await rm(folder, { recursive: true });
});

describe('damage', () => {
  const progress = (epoch: number) => ({ epoch, step: 0, lossSum: 0, correct: 0, seen: 0, totalSteps: epoch, bestEpoch: 1, bestScore: 0.5, history: [], optimizerSteps: {} }); // prettier-ignore
  const epoch = (number: number): Checkpoint => ({
    variables: tensors(number),
    optimizer: new Map(),
    average: undefined,
    progress: progress(number),
  });
  let folder: string;
  let notes: string[];
  let last: string;
  let previous: string;
  const open = (): FileCheckpoints => new FileCheckpoints(folder, (note) => notes.push(note));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thaw-checkpoints-'));
    notes = [];
    last = join(folder, 'last.safetensors');
    previous = join(folder, 'last.previous.safetensors');
    const checkpoints = open();
    await checkpoints.saveLast(epoch(1));
    await checkpoints.saveLast(epoch(2));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('every byte: with any bit of it flipped, and cut off before it, the file is refused by name', async () => {
    const whole = await readFile(last);
    const refusal = (bytes: Uint8Array): string => {
      try {
        decodeCheckpoint(bytes, last);
        return 'taken';
      } catch (error) {
        return error instanceof SafetensorsError ? error.message.slice(0, last.length) : String(error);
      }
    };
    for (let at = 0; at < whole.length; at++) {
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      expect(refusal(flipped), `byte ${at}`).toBe(last);
      expect(refusal(Uint8Array.from(whole.subarray(0, at))), `${at} bytes`).toBe(last);
    }
  });

  test.each([
    ['of no bytes', () => Buffer.alloc(0), 'truncated: 0 bytes'],
    ['cut short', (file: Buffer) => file.subarray(0, file.length - 1), 'truncated'],
    ['with a flipped bit among its values', (file: Buffer) => ((file[file.length - 2]! ^= 4), file), 'its SHA-256 is'],
    ['of another kind', () => Buffer.from('hello, world'), 'not safetensors'],
  ] as const)('one %s is reported, and the one before it used, and not lost', async (_, damage, why) => {
    await writeFile(last, damage(await readFile(last)));
    const checkpoints = open();
    expect(await checkpoints.loadLast()).toEqual(epoch(1));
    expect(checkpoints.kept?.epoch).toBe(1);
    expect(notes).toEqual([expect.stringContaining(why)]);
    expect(notes[0]).toContain(`${previous}, the one before it, is used instead`);
    // A damaged file never takes the good one's place.
    await checkpoints.saveLast(epoch(3));
    expect((await loadCheckpoint(previous)).progress.epoch).toBe(1);
    await checkpoints.saveLast(epoch(4));
    expect((await loadCheckpoint(previous)).progress.epoch).toBe(3);
    expect((await loadCheckpoint(last)).progress.epoch).toBe(4);
  });

  test('killed between the two renamings, a run has the one before', async () => {
    await rename(last, previous);
    expect(await open().loadLast()).toEqual(epoch(2));
    expect(notes).toEqual([]);
  });

  test('both damaged, or one and none before it: an error that names them', async () => {
    await writeFile(last, 'x');
    await writeFile(previous, '');
    await expect(open().loadLast()).rejects.toThrow(
      /last\.safetensors: .* Neither can .*last\.previous\.safetensors: /,
    );
    await rm(previous);
    await expect(open().loadLast()).rejects.toThrow(/last\.safetensors: .* There is none before it\./);
    await rm(last);
    expect(await open().loadLast()).toBeUndefined();
  });

  test('one from before there were hashes is taken as it is', async () => {
    const { variables } = epoch(2);
    await writeFile(last, writeSafetensors(variables, { thaw: JSON.stringify(progress(2)) }));
    expect(await loadCheckpoint(last)).toEqual(epoch(2));
    await writeFile(last, writeSafetensors(variables, { thaw: JSON.stringify({ ...progress(2), epoch: -1 }) }));
    await expect(loadCheckpoint(last)).rejects.toThrow("its metadata 'thaw': its progress is wrong at 'epoch'");
  });
});
