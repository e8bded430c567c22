// thaw adapt on drawn images and random weights: a run folder with other batch-norms that evaluate and predict take.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCheckpoint } from '@thaw/model/node';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { EXIT } from './errors.ts';
import { temporaryFolder, thaw } from './testing/stand-in.ts';

test('a run is adapted to a folder without labels, evaluated and predicted with', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'night'));
  for (let i = 0; i < 5; i++)
    await sharp({ create: { width: 32, height: 32, channels: 3, background: { r: 5 * i, g: 20 - i, b: 9 + i } } })
      .png()
      .toFile(join(folder, 'night', `${i}.png`));
  const line =
    'train --data generated --limit-train 24 --limit-test 20 --weights random --image-size 32 --batch-size 8';
  await thaw(`${line} --epochs 1 --head linear --backend wasm --output day --quiet`, folder);
  const adapted = await thaw('adapt day --data night --output dusk --backend wasm --json', folder);
  expect(adapted.stderr).not.toContain('thaw:');
  expect(adapted.code).toBe(EXIT.done);
  expect(adapted.events.at(-1)).toMatchObject({ event: 'result', images: 5, folder: join(folder, 'dusk') });
  const before = (await loadCheckpoint(join(folder, 'day', 'best.safetensors'))).variables;
  const after = (await loadCheckpoint(join(folder, 'dusk', 'best.safetensors'))).variables;
  expect(after.get('head/dense_0/kernel')?.data).toEqual(before.get('head/dense_0/kernel')?.data);
  // Random weights begin with variances of 1.
  expect(after.get('conv1_bn/moving_variance')?.data).not.toEqual(new Float32Array(64).fill(1));
  const evaluated = await thaw('evaluate dusk --backend wasm --limit-test 20 --json', folder);
  expect(evaluated.code).toBe(EXIT.done);
  expect(evaluated.events.at(-1)).toMatchObject({ event: 'result', images: 20 });
  const resumed = await thaw('train --resume dusk', folder);
  expect(resumed.code).toBe(EXIT.usage);
  expect(resumed.stderr).toContain('with other batch-norms; go on with that one');
});
