// CORAL: its value and gradient against float64, and what it does to a network that sees images of two kinds.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { resolveFreeze } from '../freeze/index.ts';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { classSource } from '../testing/class-source.ts';
import { noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { coralLoss, targetBatches } from './coral.ts';
import { Classifier, trainClassifier, type Checkpoint, type ImageSource, type NamedTensors } from './index.ts';

const [N, M, D] = [5, 4, 3];

/** By the definition: covariances with n - 1, row by row. */
function reference(source: ArrayLike<number>, target: ArrayLike<number>): number {
  const covariance = (x: ArrayLike<number>, rows: number): number[] => {
    const mean = Array.from({ length: D }, (_, c) => {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += x[r * D + c] ?? NaN;
      return sum / rows;
    });
    return Array.from({ length: D * D }, (_, i) => {
      const [a, b] = [Math.floor(i / D), i % D];
      let sum = 0;
      for (let r = 0; r < rows; r++)
        sum += ((x[r * D + a] ?? NaN) - (mean[a] ?? NaN)) * ((x[r * D + b] ?? NaN) - (mean[b] ?? NaN));
      return sum / (rows - 1);
    });
  };
  const [s, t] = [covariance(source, N), covariance(target, M)];
  return s.reduce((sum, value, i) => sum + (value - (t[i] ?? NaN)) ** 2, 0) / (4 * D * D);
}

/** The same images, darker and of less contrast. */
const dimmed = (source: ImageSource): ImageSource => ({
  ...source,
  async *batches(indices, batchSize) {
    for await (const batch of source.batches(indices, batchSize))
      yield { ...batch, images: batch.images.map((value) => 0.4 * value - 0.5) };
  },
});

describeOnBackends('CORAL', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  test('value and both gradients', async () => {
    const [source, target] = [noise(N * D, 1), noise(M * D, 2)];
    const [s, t] = [tf.tensor2d(source, [N, D]), tf.tensor2d(target, [M, D])];
    const { value, grads } = tf.valueAndGrads((a, b) => coralLoss(a as tf.Tensor2D, b as tf.Tensor2D))([s, t]);
    expect((await value.data())[0]).toBeCloseTo(reference(source, target), 6);
    for (const [which, given] of [source, target].entries()) {
      const got = (await grads[which]?.data()) ?? [];
      for (let i = 0; i < given.length; i++) {
        const moved = (by: number): number => {
          const changed = Float64Array.from(given);
          changed[i] = (changed[i] ?? NaN) + by;
          return which === 0 ? reference(changed, target) : reference(source, changed);
        };
        expect(got[i]).toBeCloseTo((moved(1e-4) - moved(-1e-4)) / 2e-4, 5);
      }
    }
    tf.dispose([s, t, value, ...grads]);
  });

  /** Trains the tiny network whole; the target are the same images dimmed. */
  async function train(weight: number, more: { stopAfter?: number; resume?: Checkpoint; trains?: string } = {}) {
    const table = layerTable(VARIANTS.torchvision, { imageSize: 16, architecture: TINY });
    const trainable = resolveFreeze(more.trains ?? 'all', table);
    const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), { imageSize: 16, trainable, batchNorm: 'frozen' }); // prettier-ignore
    const model = new Classifier(
      network,
      createHead({ spec: 'linear', classes: 3, inputs: network.channels, seed: 2 }),
    );
    const images = classSource(24, 3, 16);
    const stop = new AbortController();
    let kept: Checkpoint | undefined;
    let steps = 0;
    const { history } = await trainClassifier({
      classifier: model,
      train: images,
      imageSize: 16,
      epochs: 4,
      batchSize: 8,
      seed: 3,
      optimizer: { kind: 'adam', learningRate: 0.01 },
      ...(weight > 0 && { coral: { target: dimmed(classSource(20, 3, 16)), weight } }),
      ...(more.resume && { resume: more.resume }),
      signal: stop.signal,
      checkpoints: {
        saveLast: async (checkpoint) => void (kept = await Promise.resolve(checkpoint)),
        saveBest: () => Promise.resolve(),
      },
      settle: async () => {
        await Promise.resolve();
        if (++steps === more.stopAfter) stop.abort();
      },
    });
    const distance = tf.tidy(() => {
      const x = tf.tensor4d(noise(16 * 16 * 16 * 3, 9), [16, 16, 16, 3]);
      const dim: tf.Tensor4D = tf.sub(tf.mul(x, 0.4), 0.5);
      return coralLoss(model.features(x), model.features(dim));
    });
    const [far = NaN] = await distance.data();
    const variables: NamedTensors = await model.state();
    distance.dispose();
    model.dispose();
    return { history, variables, far, kept };
  }

  test('features of both kinds of images come nearer to each other', async () => {
    const [without, with_] = [await train(0), await train(100)];
    expect(with_.far).toBeLessThan(without.far / 2);
    expect(with_.history.at(-1)?.loss).toBeLessThan(with_.history[0]?.loss ?? NaN);
  });

  test('stopped and resumed, the target goes on where it was: the same bits', async () => {
    const whole = await train(10);
    const { kept } = await train(10, { stopAfter: 5 });
    if (!kept) throw new Error('there is no checkpoint');
    expect((await train(10, { resume: kept })).variables).toEqual(whole.variables);
  });

  test('where nothing below the head trains, it is refused', async () => {
    await expect(train(1, { trains: 'none' })).rejects.toThrow('nothing below the head trains');
  });
});

test('every pass over the target has all of its images but the last few, in an order of its own', async () => {
  const target = classSource(7, 3, 4);
  const seen: number[] = [];
  const first = new Map<number, number>();
  for (let i = 0; i < 7; i++) {
    for await (const { images } of target.batches(Int32Array.of(i), 1)) first.set(images[0] ?? NaN, i);
  }
  let batches = 0;
  for await (const { values } of targetBatches({ target, weight: 1 }, 3, 5, 0)) {
    for (let i = 0; i < 3; i++) seen.push(first.get(values[i * 48] ?? NaN) ?? -1);
    if (++batches === 4) break;
  }
  expect(new Set(seen.slice(0, 6)).size).toBe(6);
  expect(new Set(seen.slice(6, 12)).size).toBe(6);
  expect(seen.slice(0, 6)).not.toEqual(seen.slice(6, 12));
});
