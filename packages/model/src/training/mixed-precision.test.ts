// Training in mixed precision on the tiny network: close to float32, resumed exactly, steps skipped and reported, and what
// stops a run.
import { ThawBackend } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { resolveFreeze } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50, type Precision } from '../network/index.ts';
import { Optimizer } from '../optimizers/optimizer.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { needsFloat16, noAdapter, useBackend } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { Classifier, StepRunner, trainClassifier, type Checkpoint, type TrainOptions } from './index.ts';

const SIZE = 16;
const CLASSES = 3;
const source = (length: number) => classSource(length, CLASSES, SIZE);

function classifier(precision: Precision = 'mixed', spec = 'all'): Classifier {
  const table = layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY });
  const options = { imageSize: SIZE, architecture: TINY, trainable: resolveFreeze(spec, table), precision };
  const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), options);
  return new Classifier(network, createHead({ spec: [5], classes: CLASSES, inputs: network.channels, seed: 2 }));
}

const base = (model: Classifier, epochs: number): TrainOptions => ({
  classifier: model, train: source(14), imageSize: SIZE, epochs, batchSize: 4, seed: 3,
  optimizer: { kind: 'adam', learningRate: 0.01 },
}); // prettier-ignore

/** Trains and gives the last checkpoint. */
async function trained(options: TrainOptions): Promise<Checkpoint> {
  let last: Checkpoint | undefined;
  const saveLast = (checkpoint: Checkpoint): Promise<void> => {
    last = structuredClone(checkpoint);
    return Promise.resolve();
  };
  await trainClassifier({ ...options, checkpoints: { saveLast, saveBest: () => Promise.resolve() } });
  options.classifier.dispose();
  return last!;
}

describe.skipIf(noAdapter)(`mixed precision${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  beforeAll(() => useBackend('thaw'));
  beforeEach((context) => needsFloat16(context));

  test('20 steps cost what they cost in float32', async () => {
    const batches: { values: Float32Array; labels: Int32Array; size: number }[] = [];
    const indices = Int32Array.from({ length: 12 }, (_, i) => i);
    for await (const { images: values, labels, size } of source(12).batches(indices, 6))
      batches.push({ values, labels, size });
    const losses = async (precision: Precision): Promise<number[]> => {
      const model = classifier(precision);
      const config = { kind: 'sgd', learningRate: 0.01, momentum: 0.9 } as const;
      const optimizer = new Optimizer(config, undefined, precision === 'mixed' ? 'dynamic' : undefined);
      const runner = new StepRunner(model, optimizer, { shape: [SIZE, SIZE, 3] });
      const found: number[] = [];
      for (let step = 0; step < 20; step++) {
        runner.run(batches[step % 2]!, step);
        found.push((await runner.sums.take()).loss / 6);
      }
      expect((await optimizer.lossScaleState())?.skipped ?? 0).toBe(0);
      runner.dispose();
      optimizer.dispose();
      model.dispose();
      return found;
    };
    const [want, got] = [await losses('float32'), await losses('mixed')];
    // Of 12 layers, filters, sums and outputs are each off by 2^-11 of their size at most: sqrt(36) 2^-11 = 3e-3 of logits no
    // larger than 1. Gradients that are off by as much, over a fall by a quarter, add another 1e-3.
    expect(want[0]! - want.at(-1)!).toBeGreaterThan(0.2);
    want.forEach((loss, step) => expect(Math.abs(got[step]! - loss), `step ${step}`).toBeLessThan(4e-3));
    expect(got).not.toEqual(want);
  });

  test('a captured step converts all filters at once, looks all gradients through at once, and updates what is converted and the rest', async (context) => {
    const backend = tf.backend();
    if (!(backend instanceof ThawBackend)) throw new Error('the thaw backend is not current');
    if (!backend.gpu.device.features.has('timestamp-query')) context.skip('this device has no timestamp-query');
    const model = classifier();
    const optimizer = new Optimizer({ kind: 'adam', learningRate: 0.01 }, undefined, 'dynamic');
    const runner = new StepRunner(model, optimizer, { shape: [SIZE, SIZE, 3] });
    await runner.prepare(2);
    const times = await backend.profile(async () => {
      runner.run({ values: noise(2 * SIZE * SIZE * 3), labels: Int32Array.of(0, 1), size: 2 }, 0);
      await backend.settle(0);
    });
    const counts = ['narrow', 'widen', 'note-non-finite', 'adam', 'adjust-loss-scale'].map(
      (name) => times.filter(({ kernel }) => kernel === name).length,
    );
    // The images are converted with the filters, as everything trains. None goes back: features are float32 already.
    expect(counts).toEqual([1, 0, 1, 2, 1]);
    runner.dispose();
    optimizer.dispose();
    model.dispose();
  });

  test('interrupted and resumed, it ends with the very state of a run that was not, skipped steps and all', async () => {
    const first = await trained(base(classifier(), 1));
    expect(first.progress.lossScale).toEqual({ scale: 2 ** 16, good: 4, skipped: 0 });
    // From here gradients overflow until the scale has come down.
    const start = { ...first, progress: { ...first.progress, lossScale: { scale: 2 ** 23, good: 7, skipped: 2 } } };
    const whole = await trained({ ...base(classifier(), 4), resume: start });
    const { skipped, scale } = whole.progress.lossScale!;
    expect(skipped).toBeGreaterThan(2);
    expect(scale).toBe(2 ** (23 - (skipped - 2)));
    // A skipped step is no update: of 16 steps, the optimizer counts the others.
    expect(new Set(Object.values(whole.progress.optimizerSteps))).toEqual(new Set([16 - (skipped - 2)]));
    const stop = new AbortController();
    let steps = 0;
    const settle = (): Promise<void> => Promise.resolve(++steps === 2 ? stop.abort() : undefined);
    const cut = await trained({ ...base(classifier(), 4), resume: start, signal: stop.signal, settle });
    expect(cut.progress).toMatchObject({ epoch: 1, step: 2, lossScale: { skipped: 4, scale: 2 ** 21 } });
    const resumed = await trained({ ...base(classifier(), 4), resume: cut });
    expect({ ...resumed, progress: 0 }).toEqual({ ...whole, progress: 0 });
    expect(resumed.progress.lossScale).toEqual(whole.progress.lossScale);
    expect(resumed.progress.optimizerSteps).toEqual(whole.progress.optimizerSteps);
  });

  test('skipped steps are told, and move nothing but the statistics of batch-norm', async () => {
    const model = classifier();
    const before = await model.state();
    const result = await trainClassifier({ ...base(model, 1), lossScaling: 2 ** 100 });
    expect(result.lossScale).toEqual({ scale: 2 ** 100, good: 0, skipped: 4 });
    expect(result.history[0]!.loss).toBeGreaterThan(0.5);
    for (const [name, { data }] of await model.state()) {
      if (/moving_/.test(name)) expect(data, name).not.toEqual(before.get(name)!.data);
      else expect(data, name).toEqual(before.get(name)!.data);
    }
    model.dispose();
  });

  test('a run that skips every step is stopped', async () => {
    const model = classifier();
    await expect(trainClassifier({ ...base(model, 6), lossScaling: 2 ** 100 })).rejects.toThrow(
      `the gradients of the last 20 steps were not finite, down to a loss scale of ${2 ** 100}, and all of these steps were skipped. Try a smaller learning rate or loss scale, or float32 in place of mixed precision.`,
    );
    model.dispose();
  });

  test('a loss that is not finite stops the run, whatever the scale', async () => {
    const model = classifier();
    const good = source(14);
    const train = {
      ...good,
      async *batches(indices: Int32Array, batchSize: number) {
        for await (const batch of good.batches(indices, batchSize)) yield { ...batch, images: batch.images.fill(NaN) };
      },
    };
    await expect(trainClassifier({ ...base(model, 1), train })).rejects.toThrow(
      'Try a smaller learning rate than 0.01, or float32 in place of mixed precision.',
    );
    model.dispose();
  });

  test('a head alone trains in float32, on features of a trunk in mixed precision', async () => {
    const model = classifier('mixed', 'none');
    const result = await trainClassifier(base(model, 1));
    expect(result.lossScale).toBeUndefined();
    model.dispose();
  });
});

test('mixed precision on a backend without float16 is refused', async () => {
  await useBackend('cpu');
  expect(() => classifier()).toThrow(
    'mixed precision: the cpu backend has no float16 (only thaw, on WebGPU, has); use float32.',
  );
});
