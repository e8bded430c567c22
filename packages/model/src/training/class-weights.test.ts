// Class weights against scikit-learn's definition, and a step with them against the same step in float64.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { Optimizer } from '../optimizers/optimizer.ts';
import { useBackend } from '../testing/backends.ts';
import { noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { classWeights } from './class-weights.ts';
import { Classifier } from './classifier.ts';
import { StepRunner } from './step-runner.ts';

test('balanced: n / (classes n_c); a class without images leaves the others as they are', () => {
  // sklearn.utils.class_weight.compute_class_weight('balanced', ...): 6 / (3 x 3), 6 / (3 x 2), 6 / (3 x 1).
  const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
  expect([...classWeights('balanced', labels, 3)!]).toEqual([Math.fround(2 / 3), 1, 2]);
  expect([...classWeights('balanced', labels, 4)!]).toEqual([Math.fround(2 / 3), 1, 2, 1]);
  expect(classWeights('none', labels, 3)).toBeUndefined();
});

const [SIZE, WIDTH, CLASSES, RATE] = [5, 3, 3, 0.5] as const;
const LABELS = Int32Array.of(0, 2, 1, 2, 2);
const WEIGHTS = [0.5, 1.5, 2];

/** One step of gradient descent on a linear head, in float64: the loss, and kernel and bias after it. */
function reference(x: ArrayLike<number>, kernel: number[], bias: number[], smoothing: number) {
  let loss = 0;
  const [dKernel, dBias] = [kernel.map(() => 0), bias.map(() => 0)];
  LABELS.forEach((label, n) => {
    const row = Array.from({ length: WIDTH }, (_, i) => x[n * WIDTH + i]!);
    const logits = bias.map((b, c) => row.reduce((sum, value, i) => sum + value * kernel[i * CLASSES + c]!, b));
    const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
    const weight = WEIGHTS[label]! / SIZE;
    logits.forEach((z, c) => {
      const target = (c === label ? 1 - smoothing : 0) + smoothing / CLASSES;
      loss -= weight * target * (z - Math.log(sum));
      const slope = weight * (Math.exp(z) / sum - target);
      dBias[c]! += slope;
      row.forEach((value, i) => (dKernel[i * CLASSES + c]! += slope * value));
    });
  });
  const after = (values: number[], slopes: number[]): number[] => values.map((value, i) => value - RATE * slopes[i]!);
  return { loss: loss * SIZE, kernel: after(kernel, dKernel), bias: after(bias, dBias) };
}

beforeAll(async () => useBackend('cpu'));

test.each([0, 0.1])('a step on weighted classes, label smoothing %f', async (labelSmoothing) => {
  const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), { imageSize: 16, architecture: TINY });
  const head = createHead({ spec: 'linear', classes: CLASSES, inputs: WIDTH, seed: 2 });
  const classifier = new Classifier(network, head);
  const before = await classifier.state();
  const values = noise(SIZE * WIDTH, 3);
  const [kernel, bias] = ['kernel', 'bias'].map((name) => [...before.get(`head/dense_0/${name}`)!.data]);
  const want = reference(values, kernel!, bias!, labelSmoothing);

  const optimizer = new Optimizer({ kind: 'sgd', learningRate: RATE });
  const weights = tf.tensor1d(WEIGHTS);
  const runner = new StepRunner(classifier, optimizer, { shape: [WIDTH] }, { labelSmoothing, classWeights: weights });
  runner.run({ values, labels: LABELS, size: SIZE }, 0);
  const { loss } = await runner.sums.take();
  const after = await classifier.state();
  // Sums of a few products of size about 1, each rounded to 2^-24 of itself a few times over.
  const close = (got: ArrayLike<number>, wanted: number[]): void =>
    wanted.forEach((value, i) => expect(Math.abs(got[i]! - value)).toBeLessThan(64 * 2 ** -24));
  close([loss], [want.loss]);
  close(after.get('head/dense_0/kernel')!.data, want.kernel);
  close(after.get('head/dense_0/bias')!.data, want.bias);
  runner.dispose();
  weights.dispose();
  optimizer.dispose();
  classifier.dispose();
});
