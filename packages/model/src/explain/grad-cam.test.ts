// A tiny network's heat maps against float64: alpha_k from the linear head's kernel where A is the trunk's last map, and from
// finite differences of the reference network below that.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { resolveFreeze } from '../freeze/index.ts';
import { createHead, type HeadSpec } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { describeOnBackends, needsFloat16, useBackend } from '../testing/backends.ts';
import { relativeError } from '../testing/numbers.ts';
import { referenceForward, type Activation } from '../testing/reference-network.ts';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { Classifier } from '../training/classifier.ts';
import { featureWidth } from '../training/classifier.ts';
import { randomWeights } from '../weights/index.ts';
import { gradCam, gradCamLayer } from './grad-cam.ts';

const SIZE = 16;
const SHAPE: [number, number, number, number] = [2, SIZE, SIZE, 3];
const images: Activation = { shape: SHAPE, data: Float64Array.from(noise(2 * SIZE * SIZE * 3, 9)) };
const ASKED = [2, 0];
const CLASSES = 3;
const variant = VARIANTS.keras;
const table = layerTable(variant, { imageSize: SIZE, architecture: TINY });
const weights = randomWeights({ seed: 4, variant: 'keras', architecture: TINY });
disturbBatchNorm(weights.tensors);

function tiny(spec: HeadSpec, thaw = 'none', precision: 'float32' | 'mixed' = 'float32'): Classifier {
  const trainable = resolveFreeze(thaw, table);
  const network = new ResNet50(weights, { imageSize: SIZE, architecture: TINY, trainable, precision });
  return new Classifier(network, createHead({ spec, classes: CLASSES, inputs: featureWidth(spec, network), seed: 5 }));
}

/** The layers from one on. */
const forward = (input: Activation, layers: typeof table): Activation =>
  referenceForward(input, { variant, table: layers, values: weights.tensors, onBatch: () => false }).output;

/** In float64, by the definition. @param score of each image, from A */
function reference(A: Activation, score: (A: Activation) => number[]): number[] {
  const [batch, height, width, channels] = A.shape;
  const size = height * width;
  // d/de of the score where all of channel k is raised by e is the sum over positions of its gradient.
  const alpha = Array.from({ length: channels }, (_, k) => {
    const step = 1e-6;
    const raised = (by: number) => score({ shape: A.shape, data: A.data.map((v, i) => v + (i % channels === k ? by : 0)) }); // prettier-ignore
    const [up, down] = [raised(step), raised(-step)];
    return up.map((value, n) => (value - down[n]!) / (2 * step * size));
  });
  return Array.from({ length: batch }, (_, n) => {
    const map = Array.from({ length: size }, (_, p) =>
      Math.max(0, alpha.reduce((sum, one, k) => sum + one[n]! * A.data[(n * size + p) * channels + k]!, 0)),
    ); // prettier-ignore
    const most = Math.max(...map);
    return map.map((value) => (most > 0 ? value / most : 0));
  }).flat();
}

describeOnBackends('Grad-CAM', 'wasm', (backend) => {
  beforeAll(async () => useBackend(backend));

  /** The asked classes' logits from a map, through the trunk's rest and the head, in float64. */
  async function scorer(classifier: Classifier, layer: string): Promise<(A: Activation) => number[]> {
    const rest = table.slice(table.findIndex(({ name }) => name === layer) + 1);
    const head = [...classifier.head.variables.values()];
    const values = await Promise.all(head.map(async (v) => ({ shape: v.shape, data: await v.data() })));
    return (A) => {
      const { shape, data } = rest.length > 0 ? forward(A, rest) : A;
      const [batch, height, width, channels] = shape;
      const size = height * width;
      return Array.from({ length: batch }, (_, n) => {
        let x = Array.from(data.subarray(n * size * channels, (n + 1) * size * channels));
        if (classifier.pooling === 'average')
          x = Array.from({ length: channels }, (_, c) => x.filter((_, i) => i % channels === c).reduce((a, b) => a + b, 0) / size); // prettier-ignore
        for (let i = 0; i < values.length; i += 2) {
          const [kernel, bias] = [values[i]!, values[i + 1]!];
          const outputs = kernel.shape[1]!;
          const y = Array.from({ length: outputs }, (_, o) => x.reduce((sum, v, j) => sum + v * kernel.data[j * outputs + o]!, bias.data[o]!)); // prettier-ignore
          x = i + 2 < values.length ? y.map((v) => Math.max(0, v)) : y;
        }
        return x[ASKED[n]!]!;
      });
    };
  }

  test.each([
    ['linear', 'conv3_block1_out', 'none'],
    ['linear', 'conv2_block2_out', 'none'],
    ['article', 'conv3_block1_out', 'none'],
    ['article', 'conv2_block1_out', 'conv2_block2'],
    [[7], 'pool1_pool', 'all'],
  ] as [HeadSpec, string, string][])('head %s, map of %s, %s trainable', async (spec, layer, thaw) => {
    const before = tf.memory().numTensors;
    const classifier = tiny(spec, thaw);
    const x = tf.tensor4d(Float32Array.from(images.data), SHAPE);
    const got = await gradCam(classifier, x, ASKED, layer);
    const at = table.findIndex(({ name }) => name === layer);
    const A = forward(images, table.slice(0, at + 1));
    const want = reference(A, await scorer(classifier, layer));
    expect([2, got.height, got.width]).toEqual(A.shape.slice(0, 3));
    expect(want.filter((value) => value > 0).length).toBeGreaterThan(2);
    // Float32 over some twenty layers, and finite differences that cross no corner of a ReLU by more than 1e-6.
    expect(relativeError(got.values, want)).toBeLessThan(1e-4);
    x.dispose();
    classifier.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('in mixed precision nearly the same', async (context) => {
    needsFloat16(context);
    const [plain, mixed] = [tiny('linear', 'conv3'), tiny('linear', 'conv3', 'mixed')];
    const x = tf.tensor4d(Float32Array.from(images.data), SHAPE);
    const [want, got] = [await gradCam(plain, x, ASKED), await gradCam(mixed, x, ASKED)];
    // Roundings to float16 of a dozen convolutions: sqrt(12 * 2) 2^-11 = 2.4e-3, and four times that for what cancels.
    expect(relativeError(got.values, want.values)).toBeLessThan(1e-2);
    x.dispose();
    plain.dispose();
    mixed.dispose();
  });

  test('a class that is not there, a layer that is not there', async () => {
    const classifier = tiny('linear');
    const x = tf.zeros<tf.Rank.R4>([1, SIZE, SIZE, 3]);
    await expect(gradCam(classifier, x, [3])).rejects.toThrow('no class 3; the head knows 0 to 2');
    await expect(gradCam(classifier, x, [0, 1])).rejects.toThrow('2 classes for 1 images');
    await expect(gradCam(classifier, x, [0], 'conv9')).rejects.toThrow("no block ends in 'conv9'; those that do end in pool1_pool, conv2_block1_out"); // prettier-ignore
    x.dispose();
    classifier.dispose();
  });
});

test.each([
  [32, 'conv3_block4_out'],
  [64, 'conv4_block6_out'],
  [128, 'conv5_block3_out'],
  [224, 'conv5_block3_out'],
])('of images of %i pixels the map is that of %s', (imageSize, layer) => {
  const maps = layerTable(variant, { imageSize }).filter(({ name }) => /^pool1_pool$|_out$/.test(name)).map(({ name, outputShape }) => ({ layer: name, shape: outputShape })); // prettier-ignore
  expect(gradCamLayer({ maps })).toBe(layer);
});
