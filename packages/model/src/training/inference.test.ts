// A device that gives so much memory and no more: features and evaluations go on with smaller batches, to the same values.
import { OutOfMemoryError, register, type ThawBackend } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { noAdapter } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { BackendRunner, BatchTooLargeError, Classifier, evaluateClassifier, extractFeatures, headFeatures, Inference } from './index.ts'; // prettier-ignore
// By path: what tests share is no export of the published package.
import { openTestDevice } from '../../../kernels/src/testing/adapter.ts';

const SIZE = 32;

describe.skipIf(noAdapter)('a ceiling of device memory', () => {
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));

  async function open(maxBytes: number) {
    const { device } = await openTestDevice();
    const backend = register(device, { maxBytes });
    await tf.setBackend('thaw');
    const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), { imageSize: SIZE });
    const model = new Classifier(network, createHead({ spec: [5], classes: 3, inputs: network.channels, seed: 2 }));
    closers.push(() => {
      model.dispose();
      tf.removeBackend('thaw');
      device.destroy();
    });
    return { backend, model };
  }

  async function run(batchSize: number, maxBytes: number, images = 72) {
    const { backend, model } = await open(maxBytes);
    try {
      return await both(backend, model, batchSize, images);
    } finally {
      closers.pop()?.();
    }
  }

  async function both(backend: ThawBackend, model: Classifier, batchSize: number, images: number) {
    const told: number[] = [];
    const onSmallerBatch = (size: number): void => void told.push(size);
    const source = classSource(images, 3, SIZE);
    const runner = new BackendRunner(headFeatures(model, SIZE), onSmallerBatch);
    const features = await extractFeatures(runner, source, { batchSize });
    runner.dispose();
    const before = told.length;
    const { probabilities, predictions } = await evaluateClassifier(model, source, SIZE, batchSize, { onSmallerBatch });
    const peak = backend.memoryReport().peakBytes;
    return { features: features!.values, probabilities, predictions, peak, told, before };
  }
  const close = (got: Float32Array, want: Float32Array): void => {
    expect(got).toHaveLength(want.length);
    // The order of sums may depend on the size of a batch: 16 layers of sums of at most 1152 products, far below 1e-4 of the scale.
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(1e-4 * scale));
  };

  test.each([
    ['captured, which needs it at once', 72],
    ['one by one, as there are few', 24],
  ])('batches of 24 with the memory of 6 are halved until they fit: %s', async (_, images) => {
    const whole = await run(24, Infinity, images);
    const { peak } = await run(6, Infinity, 12);
    expect(peak).toBeLessThan(whole.peak);
    const halved = await run(24, peak, images);
    expect(halved.peak).toBeLessThanOrEqual(peak);
    close(halved.features, whole.features);
    close(halved.probabilities, whole.probabilities);
    expect(halved.predictions).toEqual(whole.predictions);
    // Told once by each of both, of a size that was halved.
    expect(halved.before).toBe(1);
    expect(halved.told).toHaveLength(2);
    for (const size of halved.told) expect([12, 6, 3]).toContain(size);
  });

  test('where one image does not fit, it says so', async () => {
    await expect(run(24, 20_000)).rejects.toThrow(BatchTooLargeError);
    await expect(run(24, 20_000, 24)).rejects.toThrow('Not even one image of 32 pixels fits');
  });

  test('a device that tells of it later, once for two passes under way', async () => {
    const { backend } = await open(Infinity);
    const sizes: number[] = [];
    const inference = new Inference({ shape: [2] }, (x) => {
      const [size = 0] = x.shape;
      sizes.push(size);
      // As createBuffer has it: the tensor exists, and what came of it is told with a later read.
      const failure = size > 2 ? { message: 'no room' } : null;
      backend.gpu.queue.watch(Promise.resolve(failure), (reason) => new OutOfMemoryError(1, reason));
      return size > 2 ? tf.fill([size, 1], NaN) : tf.sum(x, 1, true);
    });
    const told = [inference.values({ values: Float32Array.of(1, 2, 3, 4, 5, 6) }, 3), inference.values({ values: Float32Array.of(9, 1, 8, 1, 7, 1, 6, 1) }, 4)]; // prettier-ignore
    expect((await Promise.all(told)).map((values) => [...values])).toEqual([[3, 7, 11], [10, 9, 8, 7]]); // prettier-ignore
    expect(sizes.slice(0, 2)).toEqual([3, 4]);
    expect(sizes.slice(2).every((size) => size <= 2)).toBe(true);
    inference.dispose();
  });
});
