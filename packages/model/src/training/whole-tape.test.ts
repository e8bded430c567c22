// ResNet-50's whole tape on thaw, small images: every kernel and every gradient that training, evaluation and both
// optimizers ask for is registered, and the first step compiles, in parallel, all that later steps need.
import { ThawBackend } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { Optimizer, type OptimizerConfig } from '../optimizers/optimizer.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { noAdapter, useBackend } from '../testing/backends.ts';
import { noise } from '../testing/tiny.ts';
import { randomWeights, type TrunkWeights } from '../weights/index.ts';
import { Classifier } from './classifier.ts';
import { beginStep, StepSums, trainStep } from './step.ts';

const SIZE = 32;

/** Names of the kernels that `run` asks for. */
function kernelsOf(run: () => void): string[] {
  const spy = vi.spyOn(tf.engine(), 'runKernel');
  run();
  const names = new Set(spy.mock.calls.map(([name]) => name));
  spy.mockRestore();
  return [...names];
}

describe.skipIf(noAdapter)(`the whole tape of ResNet-50 on thaw${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  let weights: TrunkWeights;
  let backend: ThawBackend;
  beforeAll(async () => {
    await useBackend('thaw');
    const current = tf.backend();
    if (!(current instanceof ThawBackend)) throw new Error('the thaw backend is not current');
    backend = current;
    weights = randomWeights({ seed: 1 });
  });

  test.each<[string, BatchNormPolicy, OptimizerConfig]>([
    ['all', 'keras', { kind: 'adam', learningRate: 1e-3, weightDecay: 1e-4 }],
    ['conv5', 'frozen', { kind: 'sgd', learningRate: 1e-3, momentum: 0.9, nesterov: true }],
    ['none', 'keras', { kind: 'sgd', learningRate: 1e-3 }],
  ])('%s trainable, batch-norm %s, %o', async (spec, batchNorm, config) => {
    const table = layerTable(VARIANTS[weights.variant], { imageSize: SIZE });
    const network = new ResNet50(weights, { trainable: resolveFreeze(spec, table), batchNorm, imageSize: SIZE });
    const head = createHead({ spec: [8], classes: 5, inputs: network.channels, seed: 2, dropout: 0.25, l2: 1e-4 });
    const classifier = new Classifier(network, head);
    const optimizer = new Optimizer(config);
    const images = tf.tensor4d(noise(2 * SIZE * SIZE * 3), [2, SIZE, SIZE, 3]);
    const labels = tf.tensor1d([1, 4], 'int32');
    const sums = new StepSums();
    const run = (step: number) =>
      kernelsOf(() => {
        const x = network.isFrozen ? classifier.features(images) : images;
        beginStep(classifier, optimizer, step);
        trainStep(classifier, optimizer, { x, labels, size: 2 }, sums);
        tf.dispose(classifier.probabilities(images));
      });

    const update = vi.spyOn(optimizer, 'update');
    const kernels = run(0);
    const asked = backend.gpu.pipelines.size;
    // tfjs leaves out, silently, the gradients that a tape with a hole does not reach.
    expect(update.mock.calls.map(([name]) => name).sort()).toEqual([...classifier.trainables.keys()].sort());
    expect(kernels.filter((name) => !tf.getKernel(name, 'thaw'))).toEqual([]);
    if (spec !== 'none') expect(kernels).toEqual(expect.arrayContaining(['Conv2DBackpropInput', 'Conv2DBackpropFilter'])); // prettier-ignore
    await backend.settle(0);
    expect(Number.isFinite((await sums.take()).loss)).toBe(true);

    run(1);
    await backend.settle(0);
    await sums.take();
    // None waited for another: every pipeline was asked for before the first one was there, and no size is in a key.
    expect(backend.gpu.pipelines.size).toBe(asked);
    tf.dispose([images, labels]);
    optimizer.dispose();
    classifier.dispose();
  });
});
