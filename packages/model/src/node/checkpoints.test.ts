// A checkpoint comes back from its file as it was saved, with averages and without.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise } from '../testing/tiny.ts';
import type { Checkpoint } from '../training/types.ts';
import { FileCheckpoints, loadCheckpoint } from './checkpoints.ts';

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
