// The built form of @thaw/kernels computes gradients in plain Node and in a browser bundle, with one tfjs engine.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../scripts/lib/bundle.mjs';
import { entryPoints } from '../scripts/lib/entries.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const KERNELS = inRoot('packages', 'kernels');
const MANIFEST = JSON.parse(readFileSync(join(KERNELS, 'package.json'), 'utf8')) as Record<string, never>;
/** x * relu(x) summed has the gradient 2x where x > 0, and 0 elsewhere. */
const PROGRAM = `
  import * as tf from '@tensorflow/tfjs-core';
  import '@tensorflow/tfjs-backend-cpu';
  import { registerCoreGradients } from './index.js';
  registerCoreGradients();
  await tf.setBackend('cpu');
  const x = tf.variable(tf.tensor1d([1, -2, 3]));
  const { grads } = tf.variableGrads(() => tf.sum(tf.mul(x, tf.relu(x))));
  const gradient = grads[x.name];
  console.log(JSON.stringify({
    gradient: [...(await gradient.data())],
    oneEngine: tf.engine() === globalThis._tfengine,
    isTensor: gradient instanceof tf.Tensor,
  }));`;
const EXPECTED = { gradient: [2, 0, 6], oneEngine: true, isTensor: true };

let folder: string;

beforeAll(async () => {
  // Under the package's node_modules, from where the dependencies that stay outside the bundle resolve.
  const parent = join(KERNELS, 'node_modules', '.thaw-dist-test');
  await mkdir(parent, { recursive: true });
  folder = await mkdtemp(join(parent, 'dist-'));
  await bundle(KERNELS, MANIFEST, entryPoints(KERNELS, MANIFEST).present, folder);
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('in plain Node', async () => {
  expect(await output(join(folder, 'program.mjs'))).toEqual(EXPECTED);
});

test('in a bundle for browsers', async () => {
  const outfile = join(folder, 'browser.mjs');
  await build({
    entryPoints: [join(folder, 'program.mjs')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    // tfjs tells a browser from Node by these.
    banner: { js: 'globalThis.window = globalThis; globalThis.document = {};' },
    define: { 'process.versions': 'undefined' },
    logLevel: 'error',
  });
  expect(await output(outfile)).toEqual(EXPECTED);
});

async function output(file: string): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
  // tfjs-cpu says hello; what would tell of a second tfjs, or of anything registered twice, says "already".
  expect(stderr).not.toMatch(/already/);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
