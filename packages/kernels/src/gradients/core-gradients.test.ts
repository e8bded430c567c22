// Gradients of tfjs's ops are there in vitest, and in plain Node from a bundle in which tfjs-core stays external.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { registerCoreGradients } from './core-gradients.ts';

const here = dirname(fileURLToPath(import.meta.url));

test('registered here', () => {
  registerCoreGradients();
  for (const name of ['Sum', 'Conv2D', 'MaxPool', 'Mean', 'Relu']) expect(tf.getGradient(name), name).toBeDefined();
});

test('registered in plain Node, from a bundle', async () => {
  const folder = await mkdtemp(join(here, '.bundle-'));
  try {
    const outfile = join(folder, 'program.mjs');
    await build({
      stdin: {
        contents: `
          import * as tf from '@tensorflow/tfjs-core';
          import '@tensorflow/tfjs-backend-cpu';
          import { registerCoreGradients } from './core-gradients.ts';
          await tf.setBackend('cpu');
          registerCoreGradients();
          const x = tf.variable(tf.tensor4d([1, -2, 3, 4], [1, 2, 2, 1]));
          const { grads } = tf.variableGrads(() => tf.sum(tf.relu(tf.conv2d(x, tf.ones([1, 1, 1, 1]), 1, 'valid'))));
          console.log(JSON.stringify([...await grads[x.name].data()]));`,
        resolveDir: here,
        loader: 'ts',
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      external: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
      plugins: [bundleDeepImport],
      logLevel: 'error',
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual([1, 0, 1, 1]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** esbuild's `external` of a package covers its subpaths too; the gradients must go into the bundle all the same. */
const bundleDeepImport = {
  name: 'bundle-tfjs-gradients',
  setup(esbuild: import('esbuild').PluginBuild): void {
    esbuild.onResolve({ filter: /^@tensorflow\/tfjs-core\/dist\/register_all_gradients$/ }, () => ({
      path: join(here, '../../node_modules/@tensorflow/tfjs-core/dist/register_all_gradients.js'),
    }));
  },
};
