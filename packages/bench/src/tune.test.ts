// A search on one bucket of shapes, on the device at hand.
import { candidates } from '@thaw/kernels/tuning';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { noAdapter, testBackend } from './testing/device.ts';
import { tune, type TunedBucket } from './tune.ts';

const backend = testBackend('the search for tilings');
const options = { sizes: [{ imageSize: 32, batchSize: 1 }], seed: 1 };
const BUCKET = 'conv2d, 1x1/1, 1 pixels, 512 to 2048';

test.skipIf(noAdapter)(
  'every legal tiling of the wanted bucket is tried, and none computes something else',
  async () => {
    const seen: TunedBucket[] = [];
    const tensors = tf.memory().numTensors;
    const { found, left } = await tune(backend(), { ...options, seconds: 60, wanted: (name) => name === BUCKET }, (one) => seen.push(one)); // prettier-ignore
    expect(left).toBe(0);
    expect(found).toEqual(seen);
    const count = candidates(backend().gpu.kind, backend().gpu.limits, 'float32').length;
    expect(found).toMatchObject([{ kernel: 'conv2d', tried: count, candidates: count, refused: [] }]);
    expect(found[0]?.milliseconds).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(tensors);
  },
);

test.skipIf(noAdapter)('what the time does not reach is counted', async () => {
  const { found, left } = await tune(backend(), { ...options, seconds: 0, wanted: (name) => name.startsWith('conv2d, 1x1/1') }, () => undefined); // prettier-ignore
  expect(found).toEqual([]);
  expect(left).toBeGreaterThan(5);
});
