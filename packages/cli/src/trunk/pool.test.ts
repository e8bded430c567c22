// The trunk on threads of tfjs-wasm: the values, the order of images, and what becomes of errors.
import { readFile } from 'node:fs/promises';
import { resolveFreeze, BackendRunner, extractFeatures, layerTable, readSafetensors, ResNet50, toFloat32, VARIANTS, type ImageBatch, type ImageSource, type TrunkFeatures } from '@thaw/model'; // prettier-ignore
import { loadWeights } from '@thaw/model/node';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { cifarImages } from '../../../model/src/testing/cifar.ts';
import { relativeError } from '../../../model/src/testing/numbers.ts';
import { missingShared, sharedFiles } from '../../../model/src/testing/shared.ts';
import { noise, TINY } from '../../../model/src/testing/tiny.ts';
import { CommandError } from '../errors.ts';
import { TINY_SIZE as SIZE, tinyFeatures } from '../testing/tiny-features.ts';
import { WasmPool } from './pool.ts';

const VALUES = SIZE * SIZE * 3;
/**
 * TINY has 12 convolutions, each a sum of at most 147 products (the stem's 7 x 7 x 3) that every engine adds in its own
 * order: ten times 12 sqrt(147) 2^-24.
 */
const TOLERANCE = 10 * 12 * Math.sqrt(147) * 2 ** -24;

let pool: WasmPool | undefined;
afterEach(async () => {
  await pool?.close();
  pool = undefined;
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function start({ network, ...features }: TrunkFeatures, threads: number, signal?: AbortSignal): Promise<WasmPool> {
  const { architecture } = network;
  pool = await WasmPool.start({ weights: await network.exportWeights(), architecture, ...features }, threads, signal);
  return pool;
} // prettier-ignore

/** Images that differ from each other; those of `unreadable` are missing from the batches, as a data set leaves them out. */
function sourceOf(length: number, unreadable = new Set<number>()): ImageSource {
  const labels = Int32Array.from({ length }, (_, i) => i);
  return {
    length,
    labels,
    async *batches(indices: Int32Array, batchSize: number): AsyncGenerator<ImageBatch> {
      const readable = indices.filter((index) => !unreadable.has(index));
      for (let start = 0; start < readable.length; start += batchSize) {
        const batch = readable.slice(start, start + batchSize);
        const images = new Float32Array(batch.length * VALUES);
        batch.forEach((index, i) => images.set(noise(VALUES, index + 1), i * VALUES));
        yield { images, labels: batch, size: batch.length };
      }
    },
  };
}

describe.each(['average', 'flatten'] as const)('features, pooling %s', (pooling) => {
  test('are those of tfjs-cpu, in the order of the images, by several threads and with a shorter last batch', async () => {
    const features = tinyFeatures(pooling);
    const source = sourceOf(23, new Set([0, 7, 22]));
    const expected = await extractFeatures(new BackendRunner(features), source, { batchSize: 4 });
    const onThreads = await start(features, 3);
    expect(onThreads.inFlight).toBe(6);
    const seen: number[] = [];
    const found = await extractFeatures(onThreads, source, { batchSize: 3, onProgress: (done) => seen.push(done) });
    expect(found!.width).toBe(features.width);
    expect([...found!.labels]).toEqual([...expected!.labels]);
    expect(found!.labels).toHaveLength(20);
    expect(found!.values).toHaveLength(20 * features.width);
    // Two of the batches swapped would show.
    const { width } = features;
    for (let i = 0; i < 20; i++)
      expect(relativeError(found!.values.subarray(i * width, (i + 1) * width), expected!.values.subarray(i * width, (i + 1) * width)), `image ${i}`).toBeLessThan(TOLERANCE); // prettier-ignore
    // Batches may end in another order than they began in; what is done only grows.
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(20);
    features.network.dispose();
  });
});

test('a trunk that was trained runs as it is now', async () => {
  const trainable = resolveFreeze('conv3', layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY }));
  const features = tinyFeatures('average', trainable);
  for (const variable of features.network.variables.values())
    if (variable.name.includes('/kernel')) variable.assign(tf.mul(variable, 1.5));
  const source = sourceOf(4);
  const expected = await extractFeatures(new BackendRunner(features), source, { batchSize: 4 });
  const found = await extractFeatures(await start(features, 1), source, { batchSize: 4 });
  expect(relativeError(found!.values, expected!.values)).toBeLessThan(TOLERANCE);
  const untrained = await extractFeatures(new BackendRunner(tinyFeatures()), source, { batchSize: 4 });
  expect(relativeError(found!.values, untrained!.values)).toBeGreaterThan(100 * TOLERANCE);
});

const missing = missingShared(sharedFiles.weights, sharedFiles.cifarTest, sharedFiles.golden);
test.skipIf(missing)('ResNet-50 on CIFAR-10: the float64 features of ../shared/golden', async () => {
  const weights = await loadWeights({ source: 'tf-official', home: sharedFiles.home });
  const network = new ResNet50(weights, { imageSize: 32 });
  const onThreads = await start({ network, pooling: 'average', width: 2048, imageSize: 32 }, 2);
  const images = await cifarImages(sharedFiles.cifarTest, 16);
  const half = images.length / 2;
  const parts = await Promise.all([0, half].map((at) => onThreads.run(images.slice(at, at + half), 8)));
  const { tensors } = readSafetensors(await readFile(sharedFiles.golden));
  const golden = toFloat32(tensors.get('features')!)!;
  // The bound of network/golden.test.ts.
  parts.forEach((part, i) => expect(relativeError(part, golden.subarray(i * 8 * 2048, (i + 1) * 8 * 2048))).toBeLessThan(1e-4)); // prettier-ignore
  network.dispose();
});

describe('errors', () => {
  test('of a batch: named, and everything in flight ends', async () => {
    const onThreads = await start(tinyFeatures(), 2);
    const runs = [4, 4, 4, 4].map((size, i) => onThreads.run(new Float32Array((i === 2 ? 5 : size) * VALUES), size));
    const ended = await Promise.allSettled(runs);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    // tfjs's words: 5 images were given and 4 announced.
    await expect(runs[2]).rejects.toThrow(/^A thread of tfjs-wasm failed: .*3072.*3840.*--trunk device/s);
    await expect(onThreads.run(new Float32Array(VALUES), 1)).rejects.toThrow(CommandError);
  });

  test('of an extraction: its own, without a hang, whatever else is in flight', async () => {
    const onThreads = await start(tinyFeatures(), 2);
    const source = sourceOf(40);
    const broken: ImageSource = {
      ...source,
      async *batches(indices, batchSize) {
        let i = 0;
        for await (const batch of source.batches(indices, batchSize))
          yield i++ === 3 ? { ...batch, images: batch.images.subarray(1) } : batch;
      },
    };
    await expect(extractFeatures(onThreads, broken, { batchSize: 4 })).rejects.toThrow('A thread of tfjs-wasm failed');
  });

  test('of the start: weights that lack a tensor', async () => {
    const { network, ...features } = tinyFeatures();
    const weights = await network.exportWeights();
    const tensors = new Map([...weights.tensors].filter(([name]) => name !== 'conv1_bn/gamma'));
    const starting = WasmPool.start({ weights: { ...weights, tensors }, architecture: TINY, ...features }, 2);
    await expect(starting).rejects.toThrow("the weights have no 'conv1_bn/gamma'");
  });
});

describe('stopping', () => {
  test('by signal: the extraction gives nothing, at once', async () => {
    const stop = new AbortController();
    const onThreads = await start(tinyFeatures(), 2, stop.signal);
    const found = await extractFeatures(onThreads, sourceOf(400), {
      batchSize: 2,
      signal: stop.signal,
      onProgress: (done) => done >= 6 && stop.abort(),
    });
    expect(found).toBeUndefined();
    await expect(onThreads.run(new Float32Array(VALUES), 1)).rejects.toThrow('have ended');
  });

  test('by close: what is in flight rejects', async () => {
    const onThreads = await start(tinyFeatures(), 1);
    const runs = Array.from({ length: 4 }, () => onThreads.run(new Float32Array(32 * VALUES), 32));
    const ended = Promise.allSettled(runs);
    await onThreads.close();
    expect((await ended).at(-1)).toMatchObject({ status: 'rejected', reason: expect.any(CommandError) as unknown });
  });
});
