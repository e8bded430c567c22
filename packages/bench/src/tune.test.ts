// A search on one bucket of shapes, on the device at hand.
import { register } from '@thaw/kernels';
import { candidates } from '@thaw/kernels/tuning';
import { openDevice } from '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tune, type TunedBucket } from './tune.ts';

const noAdapter = process.env['THAW_NO_ADAPTER'] === '1';
if (noAdapter) console.warn('SKIPPED: the search for tilings: THAW_NO_ADAPTER=1 says that there is no adapter');

const options = { sizes: [{ imageSize: 32, batchSize: 1 }], seed: 1 };
const BUCKET = 'conv2d, 1x1/1, 1 pixels, 512 to 2048';

let thaw: ReturnType<typeof register>;
beforeAll(async () => {
  if (noAdapter) return;
  thaw = register((await openDevice()).device);
  await tf.setBackend('thaw');
});
afterAll(() => {
  if (!noAdapter) thaw.gpu.device.destroy();
});

test.skipIf(noAdapter)(
  'every legal tiling of the wanted bucket is tried, and none computes something else',
  async () => {
    const seen: TunedBucket[] = [];
    const tensors = tf.memory().numTensors;
    const { found, left } = await tune(thaw, { ...options, seconds: 60, wanted: (name) => name === BUCKET }, (one) => seen.push(one)); // prettier-ignore
    expect(left).toBe(0);
    expect(found).toEqual(seen);
    const count = candidates(thaw.gpu.kind, thaw.gpu.limits, 'float32').length;
    expect(found).toMatchObject([{ kernel: 'conv2d', tried: count, candidates: count, refused: [] }]);
    expect(found[0]?.milliseconds).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(tensors);
  },
);

test.skipIf(noAdapter)('what the time does not reach is counted', async () => {
  const { found, left } = await tune(thaw, { ...options, seconds: 0, wanted: (name) => name.startsWith('conv2d, 1x1/1') }, () => undefined); // prettier-ignore
  expect(found).toEqual([]);
  expect(left).toBeGreaterThan(5);
});
