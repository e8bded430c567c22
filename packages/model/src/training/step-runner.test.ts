// Captured training steps on the tiny network: the bits of the same steps through the tape, for every kind of thing that
// trains, with dropout, changing rates and a shorter last batch.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { Optimizer, type OptimizerConfig } from '../optimizers/optimizer.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { noAdapter, useBackend } from '../testing/backends.ts';
import { noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { Classifier } from './classifier.ts';
import { Inference } from './inference.ts';
import { StepRunner, type TrainingBatch } from './step-runner.ts';

const SIZE = 16;
const SIZES = [4, 4, 3, 4, 3];

const batch = (size: number, seed: number): TrainingBatch => ({
  values: noise(size * SIZE * SIZE * 3, seed),
  labels: Int32Array.from({ length: size }, (_, i) => (i + seed) % 3),
  size,
});

interface Outcome {
  readonly state: [string, number[]][];
  readonly optimizer: [string, number[]][];
  readonly losses: { loss: number; correct: number }[];
  readonly probabilities: number[][];
}

describe.skipIf(noAdapter)(`captured training steps${noAdapter ? ` (${noAdapter})` : ''}`, () => {
  beforeAll(async () => useBackend('thaw'));

  async function train(
    spec: string,
    policy: BatchNormPolicy,
    config: OptimizerConfig,
    isCaptured: boolean,
  ): Promise<Outcome> {
    const table = layerTable(VARIANTS.torchvision, { imageSize: SIZE, architecture: TINY });
    const trainable = resolveFreeze(spec, table);
    const weights = randomWeights({ seed: 1, architecture: TINY });
    const network = new ResNet50(weights, { imageSize: SIZE, architecture: TINY, trainable, batchNorm: policy });
    const head = createHead({ spec: [5], classes: 3, inputs: network.channels, seed: 2, dropout: 0.5, l2: 1e-3 });
    const classifier = new Classifier(network, head);
    const optimizer = new Optimizer(config);
    const runner = new StepRunner(classifier, optimizer, [SIZE, SIZE, 3]);
    const inference = new Inference([SIZE, SIZE, 3], (x) => classifier.probabilities(x as tf.Tensor4D));
    if (isCaptured) {
      // The inference first: training moves the variables' storage after it was captured.
      await inference.prepare(2, 100);
      for (const size of new Set(SIZES)) await runner.prepare(size);
    }
    const losses: Outcome['losses'] = [];
    const probabilities: number[][] = [];
    for (const [step, size] of SIZES.entries()) {
      optimizer.learningRate = 0.01 / (step + 1);
      runner.run(batch(size, step), step);
      losses.push(await runner.sums.take());
      const result = inference.run(batch(2, 50).values, 2);
      probabilities.push([...(await result.data())]);
      result.dispose();
    }
    const state = [...(await classifier.state())].map(([name, { data }]): [string, number[]] => [name, [...data]]);
    const slots = [...(await optimizer.state()).tensors].map(([name, { data }]): [string, number[]] => [
      name,
      [...data],
    ]);
    runner.dispose();
    inference.dispose();
    optimizer.dispose();
    classifier.dispose();
    return { state, optimizer: slots, losses, probabilities };
  }

  test.each<[string, BatchNormPolicy, OptimizerConfig]>([
    ['all', 'keras', { kind: 'adam', learningRate: 0.01, weightDecay: 1e-3 }],
    ['conv3', 'keras', { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }],
    ['conv3', 'frozen', { kind: 'sgd', learningRate: 0.01 }],
    ['none', 'train', { kind: 'adam', learningRate: 0.01 }],
  ])('%s, batch-norm %s, %o', async (spec, policy, config) => {
    const before = tf.memory().numTensors;
    const eager = await train(spec, policy, config, false);
    const captured = await train(spec, policy, config, true);
    expect(captured).toEqual(eager);
    expect(new Set(eager.losses.map(({ loss }) => loss)).size).toBe(SIZES.length);
    expect(new Set(eager.probabilities.map(String)).size).toBe(SIZES.length);
    expect(tf.memory().numTensors).toBe(before);
  });
});
