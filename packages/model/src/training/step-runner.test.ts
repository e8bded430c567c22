// Captured training steps on the tiny network: the bits of the same steps through the tape, for every kind of thing that
// trains, with dropout, changing rates and a shorter last batch; plain, and with everything that a recipe may add; and in mixed
// precision, with steps that are skipped.
import { ThawBackend, type ImageView, type LossScaleState } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50, type Precision } from '../network/index.ts';
import { Optimizer, type OptimizerConfig } from '../optimizers/optimizer.ts';
import { rateGroups } from '../optimizers/rate-groups.ts';
import { WeightAverage } from '../optimizers/weight-average.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { needsFloat16, noAdapter, useBackend } from '../testing/backends.ts';
import { noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import type { InputFormat } from './batch-input.ts';
import { Classifier } from './classifier.ts';
import { Inference } from './inference.ts';
import type { TrainingBatch } from './batch-input.ts';
import { StepRunner } from './step-runner.ts';

const SIZE = 16;
const SIZES = [4, 4, 3, 4, 3];

/** Side of the images before they are enlarged. */
const SMALL = 6;

/** What a step has besides: images looked at through views, rates by group, smoothed labels, weighted classes, mixed images, averaged weights. */
type Recipe = 'plain' | 'full';

const FORMATS: Record<Recipe, InputFormat> = {
  plain: { shape: [SIZE, SIZE, 3] },
  full: {
    shape: [SMALL, SMALL, 3],
    views: { side: SIZE, normalisation: { channels: [2, 1, 0], scale: [1, 1, 1], shift: [0, 0, 0] } },
  },
};

const viewOf = (seed: number): ImageView => ({
  x0: seed % 3, x1: SMALL - (seed % 2), y0: 0, y1: SMALL, shearX: 0, shearY: 0, gain: 1 + 0.1 * (seed % 4), grey: 0.1, offset: 0.1,
  erased: { left: 0, top: 0, right: seed % 5, bottom: 3 },
}); // prettier-ignore

const batch = (size: number, seed: number, { shape, views }: InputFormat): TrainingBatch => ({
  values: noise(size * shape.reduce((product, length) => product * length, 1), seed),
  ...(views && { views: Array.from({ length: size }, (_, i) => viewOf(i + seed)) }),
  labels: Int32Array.from({ length: size }, (_, i) => (i + seed) % 3),
  size,
});

interface Outcome {
  readonly state: [string, number[]][];
  readonly optimizer: [string, number[]][];
  readonly averages: [string, number[]][];
  /** Dispatches of the last step. */
  readonly dispatches: number;
  readonly losses: { loss: number; correct: number }[];
  readonly probabilities: number[][];
  readonly lossScale: LossScaleState | undefined;
}

interface Case {
  readonly spec: string;
  readonly policy: BatchNormPolicy;
  readonly config: OptimizerConfig;
  readonly recipe: Recipe;
  /** Mixed precision, with a loss scale that starts here. */
  readonly scale?: number;
}

describe.skipIf(noAdapter)(`captured training steps${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  beforeAll(async () => useBackend('thaw'));

  async function train({ spec, policy, config, recipe, scale }: Case, isCaptured: boolean): Promise<Outcome> {
    const table = layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY });
    const trainable = resolveFreeze(spec, table);
    const weights = randomWeights({ seed: 1, architecture: TINY });
    const precision: Precision = scale === undefined ? 'float32' : 'mixed';
    const options = { imageSize: SIZE, architecture: TINY, trainable, batchNorm: policy, precision };
    const network = new ResNet50(weights, options);
    const head = createHead({ spec: [5], classes: 3, inputs: network.channels, seed: 2, dropout: 0.5, l2: 1e-3 });
    const classifier = new Classifier(network, head);
    const isFull = recipe === 'full';
    const layers = table.map(({ name }) => name);
    const groups = rateGroups(isFull ? { stageDecay: 0.5, decayKernelsOnly: true } : {}, layers);
    const optimizer = new Optimizer(config, groups, scale === undefined ? undefined : 'dynamic');
    if (scale !== undefined)
      optimizer.restore({ tensors: new Map(), steps: {}, lossScale: { scale, good: 0, skipped: 0 } });
    const average = isFull ? await WeightAverage.of(classifier.variables, 0.9) : undefined;
    const format = FORMATS[recipe];
    const labelSmoothing = isFull ? 0.1 : 0;
    const classWeights = isFull ? tf.tensor1d([0.5, 1.25, 2]) : undefined;
    const mix = isFull ? { mixup: 0.4, cutmix: 1, seed: 3 } : undefined;
    const runner = new StepRunner(classifier, optimizer, format, { labelSmoothing, classWeights, mix, average });
    const inference = new Inference(format, (x) => classifier.probabilities(x as tf.Tensor4D));
    if (isCaptured) {
      // The inference first: training moves the variables' storage after it was captured.
      await inference.prepare(2, 100);
      for (const size of new Set(SIZES)) await runner.prepare(size);
    }
    const losses: Outcome['losses'] = [];
    const probabilities: number[][] = [];
    let dispatches = 0;
    for (const [step, size] of SIZES.entries()) {
      optimizer.learningRate = 0.01 / (step + 1);
      const before = dispatched();
      runner.run(batch(size, step, format), step);
      dispatches = dispatched() - before;
      losses.push(await runner.sums.take());
      average?.swap();
      const result = inference.run(batch(2, 50, format), 2);
      average?.swap();
      probabilities.push([...(await result.data())]);
      result.dispose();
    }
    const listed = (tensors: ReadonlyMap<string, { data: Float32Array }>): [string, number[]][] =>
      [...tensors].map(([name, { data }]) => [name, [...data]]);
    const state = listed(await classifier.state());
    const slots = listed((await optimizer.state()).tensors);
    const averages = listed((await average?.state()) ?? new Map());
    const lossScale = await optimizer.lossScaleState();
    average?.dispose();
    classWeights?.dispose();
    runner.dispose();
    inference.dispose();
    optimizer.dispose();
    classifier.dispose();
    return { state, optimizer: slots, averages, dispatches, losses, probabilities, lossScale };
  }

  const CASES: [string, BatchNormPolicy, OptimizerConfig][] = [
    ['all', 'keras', { kind: 'adam', learningRate: 0.01, weightDecay: 1e-3 }],
    ['conv3', 'keras', { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }],
    ['conv3', 'frozen', { kind: 'sgd', learningRate: 0.01 }],
    ['none', 'train', { kind: 'adam', learningRate: 0.01 }],
    ['none', 'keras', { kind: 'adam', learningRate: 0.01 }],
  ];
  test.each(CASES.flatMap((one) => (['plain', 'full'] as const).map((recipe) => [...one, recipe] as const)))(
    '%s, batch-norm %s, %o, %s',
    async (spec, policy, config, recipe) => {
      const before = tf.memory().numTensors;
      const one = { spec, policy, config, recipe };
      const { dispatches, ...eager } = await train(one, false);
      const { dispatches: replayed, ...captured } = await train(one, true);
      expect(captured).toEqual(eager);
      expect(replayed).toBeLessThan(dispatches);
      expect(new Set(eager.losses.map(({ loss }) => loss)).size).toBe(SIZES.length);
      expect(new Set(eager.probabilities.map(String)).size).toBe(SIZES.length);
      expect(eager.averages.map(([name]) => name).sort()).toEqual(
        recipe === 'full' ? eager.state.map(([name]) => name).sort() : [],
      );
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test('the optimizer and the averages are one dispatch a group', async () => {
    const config: OptimizerConfig = { kind: 'adam', learningRate: 0.01, weightDecay: 1e-3 };
    const one = { spec: 'all', policy: 'keras', config } as const;
    const [plain, full] = [
      await train({ ...one, recipe: 'plain' }, true),
      await train({ ...one, recipe: 'full' }, true),
    ];
    // Kernels, which decay, and the rest in each of stem, conv2, conv3 and head: 8 instead of 1. As many of the averages, and
    // one of the moving statistics. The views are one more; weighted classes a gather and a product, forward and backward.
    // Mixed images are four, their second loss seven (partner's labels, loss, weights, product; difference, share, sum) and six back.
    expect(full.dispatches - plain.dispatches).toBe(7 + 9 + 1 + 3 + 4 + 7 + 6);
  });

  test.for<Case>([
    {
      spec: 'all',
      policy: 'keras',
      config: { kind: 'adam', learningRate: 0.01, weightDecay: 1e-3 },
      recipe: 'full',
      scale: 2 ** 22,
    },
    {
      spec: 'conv3',
      policy: 'frozen',
      config: { kind: 'sgd', learningRate: 0.01, momentum: 0.9 },
      recipe: 'plain',
      scale: 2 ** 22,
    },
  ])('in mixed precision, steps skipped at first: $spec, batch-norm $policy, $config', async (one, context) => {
    needsFloat16(context);
    const before = tf.memory().numTensors;
    const { dispatches: _, ...eager } = await train(one, false);
    const { dispatches: __, ...captured } = await train(one, true);
    expect(captured).toEqual(eager);
    const { skipped, scale } = captured.lossScale!;
    expect(skipped).toBeGreaterThan(0);
    expect(skipped).toBeLessThan(SIZES.length);
    expect(scale).toBe(one.scale! / 2 ** skipped);
    expect(captured.losses.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
  });
});

function dispatched(): number {
  const backend = tf.backend();
  return backend instanceof ThawBackend ? backend.dispatchCount : 0;
}
