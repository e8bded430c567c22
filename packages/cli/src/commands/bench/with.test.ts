// Rows of --with: what is read, and what is refused before anything is measured.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, thaw } from '../../testing/stand-in.ts';
import { readGiven } from './with.ts';

const size = { imageSize: 32, batchSize: 8 };
const row = { case: 'all', engine: 'pytorch fp32', ...size, imagesPerSecond: 800, milliseconds: { median: 10, min: 9, max: 12, rounds: 3 } }; // prettier-ignore
const torch = {
  device: 'NVIDIA X',
  versions: { torch: '2.9.0', cuda: '12.8' },
  rows: [row, { ...row, batchSize: 32 }],
};

async function file(content: string): Promise<string> {
  const path = join(await temporaryFolder(), 'before.json');
  await writeFile(path, content);
  return path;
}

test('rows of the same size, and where they come from', async () => {
  const given = await readGiven(await file(`${JSON.stringify(torch)}\n`), size);
  expect(given).toEqual({ rows: [row], about: 'Of before.json: NVIDIA X, torch 2.9.0, cuda 12.8.' });
});

test("the last line of an earlier run's events; its engines carry the file's name", async () => {
  const result = {
    event: 'result',
    device: { name: 'GPU', driver: 'x' },
    rows: [{ ...row, engine: 'thaw', about: '' }],
  };
  const given = await readGiven(await file(`{"event":"device"}\n${JSON.stringify(result)}\n`), size);
  expect(given.rows.map(({ engine }) => engine)).toEqual(['thaw (before.json)']);
  expect(given.about).toBe('Of before.json: GPU.');
});

test.each([
  ['no JSON', 'does not end in the JSON that bench/pytorch_step.py'],
  ['{"rows": [{"case": "all"}]}', 'does not end in the JSON that bench/pytorch_step.py'],
  [JSON.stringify({ rows: [{ ...row, batchSize: 32 }] }), 'has no step of 32 x 32 images in batches of 8; it has 32 x 32 in batches of 32.'],
])('%s is refused', async (content, message) => {
  await expect(readGiven(await file(content), size)).rejects.toThrow(message);
}); // prettier-ignore

test.each([
  ['bench step --with nowhere.json', 'nowhere.json does not exist'],
  ['bench step --export-step x.safetensors', 'choose it with --filter out of features, head, article-2-last42, article-2, all'],
  ['bench step --filter head --precision mixed --export-step x.safetensors', 'a step is exported in float32 only'],
  ['bench step --filter nothing', 'no case has "nothing" in its name'],
])('thaw %s', async (line, message) => {
  const { code, stderr } = await thaw(line, await temporaryFolder());
  expect(stderr).toContain(message);
  expect(code).toBe(2);
}); // prettier-ignore
