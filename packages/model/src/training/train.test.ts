// The loop on the tiny network: resumption is exact, memory is constant, what is frozen stays, a bad loss stops the run; and
// what a recipe adds: schedule, rates by stage, views that change by epoch, averaged weights, an early end.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { resolveFreeze } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import {
  Classifier,
  DivergedError,
  evaluateClassifier,
  permutation,
  trainClassifier,
  type Checkpoint,
  type EpochRecord,
  type ImageSource,
  type TrainOptions,
} from './index.ts';

const SIZE = 16;
const CLASSES = 3;

const source = (length: number): ImageSource => classSource(length, CLASSES, SIZE);

function classifier(spec: string, dropout = 0): Classifier {
  const table = layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY });
  const weights = randomWeights({ seed: 1, architecture: TINY });
  const network = new ResNet50(weights, { imageSize: SIZE, architecture: TINY, trainable: resolveFreeze(spec, table) });
  return new Classifier(
    network,
    createHead({ spec: [5], classes: CLASSES, inputs: network.channels, seed: 2, dropout }),
  );
}

/** The same images at half their size, enlarged through views that depend on image and epoch. */
function augmentedSource(length: number): ImageSource {
  const plain = source(length);
  const half = SIZE / 2;
  return {
    ...plain,
    pixels: {
      height: half,
      width: half,
      normalisation: { channels: [0, 1, 2], scale: [1, 1, 1], shift: [0, 0, 0] },
      isAugmented: true,
      async *batches(indices, batchSize, epoch = 0) {
        let at = 0;
        for await (const { images, labels, size } of plain.batches(indices, batchSize)) {
          const small = Float32Array.from({ length: size * half * half * 3 }, (_, i) => 50 * (images[i]! + 1.5));
          const views = Array.from(indices.subarray(at, at + size), (index) => {
            const left = (index * 7 + epoch * 3) % 4;
            const erased = { left, top: 0, right: left + 2, bottom: 3 };
            return {
              x0: left,
              x1: left + half,
              y0: 0,
              y1: half,
              shearX: 0,
              shearY: 0,
              gain: 0.02,
              grey: 0,
              offset: 0,
              erased,
            };
          });
          at += size;
          yield { images: small, views, labels, size };
        }
      },
    },
  };
}

/** Everything that a recipe may have. */
const RECIPE = {
  train: augmentedSource(14),
  optimizer: { kind: 'sgd', learningRate: 0.02, momentum: 0.9, weightDecay: 1e-3 },
  schedule: { kind: 'cosine', warmup: 0.2 },
  rates: { stageDecay: 0.5, decayKernelsOnly: true },
  labelSmoothing: 0.1,
  averageDecay: 0.8,
} as const satisfies Partial<TrainOptions>;

class MemoryCheckpoints {
  last: Checkpoint | undefined;
  best: Checkpoint | undefined;
  saveLast(checkpoint: Checkpoint): Promise<void> {
    this.last = structuredClone(checkpoint);
    return Promise.resolve();
  }
  saveBest(checkpoint: Checkpoint): Promise<void> {
    this.best = structuredClone(checkpoint);
    return Promise.resolve();
  }
}

const base = (model: Classifier, epochs: number): TrainOptions => ({
  classifier: model, train: source(14), validation: source(7), imageSize: SIZE, epochs, batchSize: 4, seed: 3,
  optimizer: { kind: 'adam', learningRate: 0.01 },
}); // prettier-ignore

async function finalState(options: TrainOptions): Promise<[string, number[]][]> {
  await trainClassifier(options);
  const state = await options.classifier.state();
  options.classifier.dispose();
  return [...state].map(([name, { data }]) => [name, [...data]]);
}

describeOnBackends('the training loop', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  describe.each([
    ['none', 'features'],
    ['conv3', 'images'],
  ])('%s trainable, from %s', (spec) => {
    test('the loss falls, and nothing leaks', async () => {
      const before = tf.memory().numTensors;
      const model = classifier(spec);
      const result = await trainClassifier(base(model, 6));
      expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(result.history.at(-1)!.loss).toBeLessThan(result.history[0]!.loss);
      expect(result.steps).toBe(6 * 4);
      expect(result.memory.tensorsAtEnd).toBe(result.memory.tensorsAfterStep2);
      model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test('with a whole recipe, interrupted within an epoch and resumed: the same bits, averages included', async () => {
      const run = async (options: Partial<TrainOptions>): Promise<MemoryCheckpoints> => {
        const checkpoints = new MemoryCheckpoints();
        const model = classifier(spec, 0.3);
        await trainClassifier({ ...base(model, 3), ...RECIPE, checkpoints, ...options });
        model.dispose();
        return checkpoints;
      };
      const whole = await run({});
      const stop = new AbortController();
      let steps = 0;
      const settle = (): Promise<void> => Promise.resolve(++steps === 6 ? stop.abort() : undefined);
      const cut = await run({ signal: stop.signal, settle });
      expect(cut.last!.progress).toMatchObject({ epoch: 1, step: 2, totalSteps: 6 });
      const resumed = await run({ resume: cut.last });
      expect({ ...resumed.last!, progress: 0 }).toEqual({ ...whole.last!, progress: 0 });
      const untimed = ({ last }: MemoryCheckpoints): unknown[] =>
        last!.progress.history.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataSeconds: 0 }));
      expect(untimed(resumed)).toEqual(untimed(whole));
      // Steps 4, 8 and 12 of 12, after a rise over the first two: half a cosine at 1, 5 and 9 tenths.
      const rates = whole.last!.progress.history.map(({ learningRate }) => learningRate);
      [0.1, 0.5, 0.9].forEach((t, i) => expect(rates[i]).toBeCloseTo(0.01 * (1 + Math.cos(Math.PI * t)), 12));
    });

    test('2 + 2 epochs equal 4, bit for bit, dropout included', async () => {
      const whole = await finalState(base(classifier(spec, 0.3), 4));
      const checkpoints = new MemoryCheckpoints();
      const first = classifier(spec, 0.3);
      await trainClassifier({ ...base(first, 2), checkpoints });
      first.dispose();
      const resumed = await finalState({ ...base(classifier(spec, 0.3), 4), resume: checkpoints.last });
      expect(resumed).toEqual(whole);
    });

    test('interrupted within an epoch and resumed: the same again', async () => {
      const whole = await finalState(base(classifier(spec), 3));
      const checkpoints = new MemoryCheckpoints();
      const stop = new AbortController();
      let steps = 0;
      const settle = (): Promise<void> => Promise.resolve(++steps === 6 ? stop.abort() : undefined);
      const first = classifier(spec);
      const result = await trainClassifier({ ...base(first, 3), checkpoints, signal: stop.signal, settle });
      first.dispose();
      expect(result.interrupted).toBe(true);
      expect(checkpoints.last!.progress).toMatchObject({ epoch: 1, step: 2, totalSteps: 6 });
      expect(await finalState({ ...base(classifier(spec), 3), resume: checkpoints.last })).toEqual(whole);
    });
  });

  test('head first, then thawed: the first trunk update is that of a fresh optimizer', async () => {
    // Adam's first update is the learning rate times the gradient's sign (Kingma and Ba, section 2.1), whatever came before.
    const checkpoints = new MemoryCheckpoints();
    const frozen = classifier('none');
    await trainClassifier({ ...base(frozen, 2), checkpoints });
    frozen.dispose();
    const thawed = classifier('conv3');
    const before = (await thawed.state()).get('conv3_block1_3_conv/kernel')!.data;
    const { variables, optimizer, progress } = checkpoints.last!;
    const all = new Map([...(await thawed.state()), ...variables]);
    await trainClassifier({ ...base(thawed, 3), batchSize: 14, resume: { variables: all, optimizer, progress } });
    const after = (await thawed.state()).get('conv3_block1_3_conv/kernel')!.data;
    const moved = [...after].map((value, i) => Math.abs(value - before[i]!));
    expect(Math.max(...moved)).toBeLessThanOrEqual(0.01 * (1 + 1e-4));
    expect(Math.max(...moved)).toBeGreaterThan(0.0099);
    thawed.dispose();
  });

  test('the averages are what is validated, kept as best, and left in the classifier', async () => {
    const checkpoints = new MemoryCheckpoints();
    const model = classifier('conv3');
    const before = tf.memory().numTensors;
    const { history } = await trainClassifier({ ...base(model, 1), ...RECIPE, checkpoints });
    expect(tf.memory().numTensors).toBe(before);
    const { best, last } = checkpoints;
    expect(best!.variables).toEqual(last!.average);
    expect(best!.variables).not.toEqual(last!.variables);
    expect(best!.average).toBeUndefined();
    expect(await model.state()).toEqual(best!.variables);
    const evaluate = async (): Promise<number> => (await evaluateClassifier(model, source(7), SIZE, 4)).loss;
    expect(await evaluate()).toBe(history[0]!.validationLoss);
    model.restore(last!.variables);
    expect(await evaluate()).not.toBe(history[0]!.validationLoss);
    model.dispose();
  });

  test('without a better epoch, training ends after as many as patience allows', async () => {
    const model = classifier('none');
    const records: EpochRecord[] = [];
    // No rate to speak of: nothing changes, so that the first epoch stays the best.
    const optimizer = { kind: 'sgd', learningRate: 1e-30 } as const;
    const result = await trainClassifier({ ...base(model, 9), optimizer, patience: 2 }, { onEpoch: (record) => void records.push(record) }); // prettier-ignore
    expect(result.bestEpoch).toBe(1);
    expect(records.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(result.interrupted).toBe(false);
    model.dispose();
  });

  test('an augmented source trains a frozen trunk on images, not on kept features', async () => {
    const model = classifier('none');
    const phases: string[] = [];
    const { train } = RECIPE;
    const plain = await trainClassifier({ ...base(model, 1) }, { onPhase: (name) => phases.push(name) });
    const augmented = await trainClassifier({ ...base(model, 1), train }, { onPhase: (name) => phases.push(name) });
    expect(phases).toEqual(['features of the train images', 'features of the validation images', 'training', 'features of the validation images', 'training']); // prettier-ignore
    expect([plain.steps, augmented.steps]).toEqual([4, 4]);
    model.dispose();
  });

  test('a loss that is not finite stops the run, says where, and leaves the last good checkpoint', async () => {
    const model = classifier('conv3');
    const checkpoints = new MemoryCheckpoints();
    const good = source(14);
    let batches = 0;
    const train: ImageSource = {
      ...good,
      async *batches(indices, batchSize) {
        for await (const batch of good.batches(indices, batchSize))
          yield ++batches > 4 ? { ...batch, images: batch.images.fill(NaN) } : batch;
      },
    };
    await expect(trainClassifier({ ...base(model, 3), train, validation: undefined, checkpoints })).rejects.toThrow(
      'the loss stopped being finite at or within 20 steps before step 4 of epoch 2; the last checkpoint is from before it. Try a smaller learning rate than 0.01.',
    );
    expect(checkpoints.last!.progress.epoch).toBe(1);
    expect([...checkpoints.last!.variables.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
    model.dispose();
  });

  describe('with a store that can be read again, it says at which step, and where', () => {
    class Kept extends MemoryCheckpoints {
      loadLast(): Promise<Checkpoint | undefined> {
        return Promise.resolve(this.last);
      }
    }
    const diverges = async (options: Partial<TrainOptions>, spec = 'conv3'): Promise<string> => {
      const model = classifier(spec);
      const checkpoints = new Kept();
      try {
        await trainClassifier({ ...base(model, 3), validation: undefined, checkpoints, ...options });
        return 'it did not';
      } catch (error) {
        expect(error).toBeInstanceOf(DivergedError);
        expect([...checkpoints.last!.variables.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
        return (error as Error).message;
      } finally {
        model.dispose();
      }
    };

    test('in the images', async () => {
      const good = source(14);
      // The ninth image of the second epoch's order: its third step.
      const spoilt = permutation(14, 3, 2)[8];
      let passes = 0;
      const train: ImageSource = {
        ...good,
        async *batches(indices, batchSize) {
          passes++;
          let at = 0;
          for await (const batch of good.batches(indices, batchSize)) {
            const row = indices.subarray(at, at + batch.size).indexOf(spoilt!);
            at += batch.size;
            const images = Float32Array.from(batch.images);
            // From the second pass on: the first is the first epoch.
            if (row >= 0 && passes > 1) images[row * SIZE * SIZE * 3] = NaN;
            yield { ...batch, images };
          }
        },
      };
      expect(await diverges({ train })).toContain('the training stopped being finite at step 3 of epoch 2: first in the images; the last checkpoint is from before it'); // prettier-ignore
    });

    test('in a layer whose filter makes more of them than float32 holds', async () => {
      const model = classifier('conv3');
      const checkpoints = new Kept();
      const huge = new Map(await model.state());
      const name = 'conv3_block1_2_conv/kernel';
      huge.set(name, { ...huge.get(name)!, data: huge.get(name)!.data.map(() => 3e38) });
      model.restore(huge);
      const failed = trainClassifier({ ...base(model, 1), validation: undefined, checkpoints });
      await expect(failed).rejects.toThrow("step 1 of epoch 1: first in the output of layer 'conv3_block1_2_conv'");
      model.dispose();
    });

    test('in a step that is too large', async () => {
      const optimizer = { kind: 'sgd', learningRate: 1e38 } as const;
      expect(await diverges({ optimizer })).toMatch(/stopped being finite at step \d of epoch 1: first in (the output of layer '\S+'|the loss|what the update made of '\S+')/); // prettier-ignore
    });
  });

  test('evaluation: probabilities sum to one, metrics agree with the predictions', async () => {
    const model = classifier('none');
    const images = source(7);
    const result = await evaluateClassifier(model, images, SIZE, 3);
    expect([...result.labels]).toEqual([...images.labels]);
    const hits = result.predictions.filter((p, i) => p === images.labels[i]).length;
    expect(result.accuracy).toBeCloseTo(hits / 7, 15);
    for (let i = 0; i < 7; i++)
      expect(result.probabilities.subarray(i * CLASSES, (i + 1) * CLASSES).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    model.dispose();
  });
});
