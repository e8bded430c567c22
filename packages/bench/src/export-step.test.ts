// An exported step against float64: the loss by the definition, a gradient by differences of it.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors, toFloat32 } from '@thaw/model';
import { expect, onTestFinished, test } from 'vitest';
import { thawEngine } from './engines/thaw.ts';
import { exportStep } from './export-step.ts';
import { noAdapter, testBackend } from './testing/device.ts';

const backend = testBackend('an exported step');
const BATCH = 4;
const head = { name: 'head', about: '', part: 'head' as const };

test.skipIf(noAdapter)("the head's step: what it starts from gives its loss and its gradient", async () => {
  const bytes = await exportStep(thawEngine(backend()), head, { imageSize: 32, batchSize: BATCH, seed: 3 });
  const { tensors, metadata } = readSafetensors(bytes, 'the step');
  expect(metadata).toEqual({ case: 'head', imageSize: '32', batchSize: '4' });
  const values = (name: string): Float64Array => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the file has no ${name}`);
    return Float64Array.from(toFloat32(tensor) ?? []);
  };
  expect(tensors.get('head.0.weight')?.shape).toEqual([2048, 32]);
  expect([...tensors.keys()].filter((name) => name.startsWith('trunk.'))).toEqual([]);

  const layers = [0, 2, 4, 6].map((i) => ({ w: values(`head.${i}.weight`), b: values(`head.${i}.bias`) }));
  const images = values('images');
  const loss = (): number => {
    let sum = 0;
    for (let image = 0; image < BATCH; image++) {
      let h = images.subarray(2048 * image, 2048 * (image + 1));
      layers.forEach(({ w, b }, i) => {
        const y = b.map((bias, out) => h.reduce((total, x, n) => total + x * (w[n * b.length + out] ?? NaN), bias));
        h = i === 3 ? y : y.map((value) => Math.max(0, value));
      });
      // The label of image n is n.
      sum += Math.log(h.reduce((total, logit) => total + Math.exp(logit), 0)) - (h[image] ?? NaN);
    }
    return sum / BATCH;
  };
  // 2048 products of size about 1, in float32.
  expect(values('loss')[0]).toBeCloseTo(loss(), 4);

  const gradient = values('gradient of head.0.weight');
  const largest = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? i : best), 0);
  const kernel = layers[0]?.w ?? new Float64Array();
  const at = (value: number): number => {
    kernel[largest] = value;
    return loss();
  };
  const middle = kernel[largest] ?? NaN;
  const STEP = 1e-6;
  const difference = (at(middle + STEP) - at(middle - STEP)) / (2 * STEP);
  expect(difference).not.toBe(0);
  expect(gradient[largest]).toBeCloseTo(difference, 5);
});

/** A Python that has PyTorch: bench/pytorch_step.py needs it. */
const python = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import torch']).status === 0);
if (!python)
  console.warn(
    'SKIPPED: the exported step in PyTorch: no python3 here has torch (on Debian: apt install python3-torch)',
  );

test.skipIf(noAdapter || !python)('PyTorch takes the same step, and tells another one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thaw-step-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'step.safetensors');
  const script = fileURLToPath(new URL('../../../bench/pytorch_step.py', import.meta.url));
  const check = () => spawnSync(python ?? '', [script, '--device', 'cpu', '--check', path], { encoding: 'utf8' });
  const bytes = await exportStep(thawEngine(backend()), head, { imageSize: 32, batchSize: BATCH, seed: 3 });
  await writeFile(path, bytes);
  expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('head: the same step') as string });
  // Other labels, 1 2 3 3 in place of 0 1 2 3, are another step. A tensor that was read is a view of the file.
  readSafetensors(bytes, 'the step').tensors.get('labels')?.bytes.copyWithin(0, 4);
  await writeFile(path, bytes);
  expect(check()).toMatchObject({ status: 1, stdout: expect.stringContaining('DISAGREES') as string });
});
