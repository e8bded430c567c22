// A device that gives so much memory and no more: a batch that does not fit is refused with the size that does.
import { register } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { noAdapter } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { relativeError } from '../testing/numbers.ts';
import { TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { BatchTooLargeError, Classifier, trainClassifier, type NamedTensors, type TrainResult } from './index.ts';
// By path: what tests share is no export of the published package.
import { openTestDevice } from '../../../kernels/src/testing/adapter.ts';

const SIZE = 32;

describe.skipIf(noAdapter)('a ceiling of device memory', () => {
  /** One epoch over 64 images in one step. @returns what came of it, and the most bytes that were in use */
  async function train(
    batchSize: number,
    maxBytes: number,
    batchNorm: BatchNormPolicy = 'keras',
  ): Promise<{ result: TrainResult; peak: number; variables: NamedTensors; notes: string[] }> {
    const { device } = await openTestDevice();
    const backend = register(device, { maxBytes });
    await tf.setBackend('thaw');
    const table = layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY });
    const weights = randomWeights({ seed: 1, architecture: TINY });
    const network = new ResNet50(weights, { imageSize: SIZE, batchNorm, trainable: resolveFreeze('all', table) });
    const model = new Classifier(network, createHead({ spec: [5], classes: 3, inputs: network.channels, seed: 2 }));
    try {
      const notes: string[] = [];
      const result = await trainClassifier(
        {
          classifier: model,
          train: classSource(64, 3, SIZE),
          imageSize: SIZE,
          epochs: 1,
          batchSize,
          seed: 3,
          optimizer: { kind: 'adam', learningRate: 0.01 },
          settle: () => backend.settle(),
        },
        { onNote: (note) => notes.push(note) },
      );
      return { result, peak: backend.memoryReport().peakBytes, variables: await model.state(), notes };
    } finally {
      model.dispose();
      tf.removeBackend('thaw');
      device.destroy();
    }
  }

  test('a step that does not fit is refused with half, a quarter, ... of the batch, which then does', async () => {
    const { peak } = await train(16, Infinity);
    const refused = await train(64, peak).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BatchTooLargeError);
    expect((refused as Error).message).toContain('does not fit into');
    const size = Number(/use a batch size of (\d+)\./.exec((refused as Error).message)?.[1]);
    // What 16 took at most is enough for 16; half of it would not be.
    expect([16, 32]).toContain(size);
    expect((await train(size, peak)).result.steps).toBe(64 / size);
    await expect(train(64, 40_000, 'frozen')).rejects.toThrow('Not even a training step of one image at 32 x 32 fits');
    await expect(train(64, 40_000)).rejects.toThrow('Not even a training step of one image at 32 x 32 fits');
  });

  test('with frozen batch-norms it goes through in parts, and ends as the whole batch does', async () => {
    const whole = await train(60, Infinity, 'frozen');
    const { peak } = await train(16, Infinity, 'frozen');
    const split = await train(60, peak, 'frozen');
    expect(whole.notes).toEqual([]);
    expect(split.notes.join()).toMatch(/does not fit into the device's memory: it goes through in parts of (7|15|30),/);
    expect(split.peak).toBeLessThanOrEqual(peak);
    expect(split.result.steps).toBe(whole.result.steps);
    // Loss and accuracy of the epoch, and what Adam made of sums of float32 in another order.
    expect(split.result.history[0]?.loss).toBeCloseTo(whole.result.history[0]?.loss ?? NaN, 4);
    expect(split.result.history[0]?.accuracy).toBe(whole.result.history[0]?.accuracy);
    for (const [name, { data }] of whole.variables)
      expect(relativeError(split.variables.get(name)?.data ?? [], data), name).toBeLessThan(1e-3);
  });
});
