// Small files for tests: temporary folders, images, CIFAR records, and where the real data lies.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import type { CifarFormat } from '../node/cifar.ts';

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thaw-data-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Writes files (path relative to `root` -> content) and the folders they need. */
export async function writeTree(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

/** A lossless image of one colour. */
export async function png(rgb: readonly [number, number, number], width = 4, height = width): Promise<Uint8Array> {
  const [r, g, b] = rgb;
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

/** A record: label bytes, then planes of which pixel p of channel c is (p + 50 c + shift) mod 256. */
export function cifarRecord(labels: readonly number[], shift: number): Uint8Array {
  const bytes = new Uint8Array(labels.length + 3072);
  bytes.set(labels);
  for (let c = 0; c < 3; c++) {
    for (let p = 0; p < 1024; p++) bytes[labels.length + c * 1024 + p] = p + 50 * c + shift;
  }
  return bytes;
}

/** All files of a tiny CIFAR: `perFile` records in each, labels counting up, shifts from the file's number. */
export function cifarFiles(format: CifarFormat, perFile: number): Record<string, Uint8Array | string> {
  const files: Record<string, Uint8Array | string> = {};
  [...format.files.train, ...format.files.test].forEach((name, f) => {
    const records = Array.from({ length: perFile }, (_, r) =>
      cifarRecord(
        format.labels.map((label) => (f * perFile + r) % label.count),
        10 * f + r,
      ),
    );
    files[name] = Buffer.concat(records);
  });
  for (const { names, kind, count } of format.labels) {
    files[names] = `${Array.from({ length: count }, (_, i) => `${kind}${i}`).join('\n')}\n\n`;
  }
  return files;
}

/** `datasets/<name>` of the real THAW_HOME, or null (said aloud) where it is not there. */
export function realDataset(name: string): { home: string; path: string } | null {
  const repository = resolve(import.meta.dirname, '../../../..');
  const home = process.env.THAW_HOME ? resolve(process.env.THAW_HOME) : resolve(repository, '../shared/thaw-home');
  const path = join(home, 'datasets', name);
  if (existsSync(path)) return { home, path };
  console.warn(`SKIPPED: tests on real data: ${path} does not exist; set THAW_HOME`);
  return null;
}
