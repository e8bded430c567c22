// What other runtimes compute with an exported classifier, against Thaw's own on tfjs-cpu: onnxruntime, tfjs-layers, and the
// reader of torchvision's files.
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHead, type HeadSpec } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { VARIANTS, type VariantName } from '../resnet50/index.ts';
import { useBackend } from '../testing/backends.ts';
import { relativeError } from '../testing/numbers.ts';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { Classifier, featureWidth } from '../training/classifier.ts';
import {
  fromTorchvision,
  randomWeights,
  readSafetensors,
  writeSafetensors,
  type WeightTensor,
} from '../weights/index.ts';
import { folded, inferenceGraph, type ConvNode, type TrainedClassifier } from './graph.ts';
import { halfBits } from './half.ts';
import { toOnnx } from './onnx.ts';
import { toLayersModel } from './tfjs-layers.ts';
import { toTorchvision, torchvisionNotes } from './torchvision.ts';

const CLASSES = ['ant', 'bee', 'wasp'];
const BATCH = 2;
/** Of each variant's, as @thaw/data has them: output channel c is scale[c] rgb[channels[c]] + shift[c]. */
const NORMALISATIONS: Record<VariantName, TrainedClassifier['normalisation']> = {
  keras: { channels: [2, 1, 0], scale: [1, 1, 1], shift: [-103.939, -116.779, -123.68] },
  torchvision: {
    channels: [0, 1, 2],
    scale: [1 / 255 / 0.229, 1 / 255 / 0.224, 1 / 255 / 0.225],
    shift: [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
  },
  'tf-official': { channels: [0, 1, 2], scale: [1, 1, 1], shift: [-123.68, -116.78, -103.94] },
};

interface Sample {
  trained: TrainedClassifier;
  pixels: Float32Array;
  logits: Float32Array;
  probabilities: Float32Array;
}

/** A tiny classifier with every variable off its start, and what it computes on tfjs-cpu. */
async function sample(variant: VariantName, spec: HeadSpec, imageSize: number): Promise<Sample> {
  const weights = randomWeights({ seed: 3, variant, architecture: TINY });
  disturbBatchNorm(weights.tensors);
  for (const [name, { data }] of weights.tensors) if (name.endsWith('conv/bias')) data.set(noise(data.length, 7));
  const network = new ResNet50(weights, { imageSize, architecture: TINY });
  const head = createHead({ spec, classes: CLASSES.length, inputs: featureWidth(spec, network), seed: 5 });
  const classifier = new Classifier(network, head);
  for (const [name, variable] of head.variables)
    if (name.endsWith('/bias')) variable.assign(tf.tensor(noise(variable.size, 8), variable.shape));
  const tensors = new Map<string, WeightTensor>(weights.tensors);
  for (const [name, value] of await classifier.state())
    tensors.set(name, { shape: [...value.shape], data: value.data });
  const normalisation = NORMALISATIONS[variant];
  const pixels = noise(BATCH * imageSize * imageSize * 3, 11).map((value) => Math.round(127.5 * (value + 1)));
  const { channels, scale, shift } = normalisation;
  const input = pixels.map((_, i) => scale[i % 3]! * pixels[i - (i % 3) + channels[i % 3]!]! + shift[i % 3]!);
  const [logits, probabilities] = tf.tidy((): [tf.Tensor, tf.Tensor] => {
    const features = classifier.features(tf.tensor4d(input, [BATCH, imageSize, imageSize, 3]));
    return [head.logits(features, { training: false }), classifier.classify(features)];
  });
  const trained = {
    variant,
    imageSize,
    classes: CLASSES,
    tensors,
    pooling: classifier.pooling,
    normalisation,
    architecture: TINY,
  };
  const found = {
    logits: Float32Array.from(await logits.data()),
    probabilities: Float32Array.from(await probabilities.data()),
  };
  tf.dispose([logits, probabilities]);
  classifier.dispose();
  return { trained, pixels, ...found };
}

const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, i) => value - b[i]!));

/** The Jacobian of softmax has a norm of 1/2 at most: probabilities move by half of what logits do. */
const ofProbabilities = (bound: number, { logits }: Sample): number => (bound * Math.hypot(...logits)) / 2;

const SAMPLES = [
  ['keras', 'linear', 32],
  ['torchvision', 'article', 40],
  ['tf-official', [6], 33],
] as const satisfies readonly (readonly [VariantName, HeadSpec, number])[];

describe.each(SAMPLES)('%s with head %s at %i', (variant, spec, imageSize) => {
  let of: Sample;
  beforeAll(async () => {
    await useBackend('cpu');
    of = await sample(variant, spec, imageSize);
  });

  test.each([
    // Rounding of some twenty layers; a half is within 2^-11 of a weight, and its 9 layers come to 3 times that.
    { fold: false, half: false, bound: 1e-5 },
    { fold: true, half: false, bound: 1e-5 },
    { fold: true, half: true, bound: 5e-3 },
  ])('onnxruntime gives the same: %o', async ({ fold, half, bound }) => {
    const bytes = toOnnx(inferenceGraph(of.trained, { fold }), { half });
    const session = await InferenceSession.create(bytes);
    const images = new Tensor('float32', of.pixels, [BATCH, imageSize, imageSize, 3]);
    const { logits, probabilities } = await session.run({ images });
    expect(logits?.dims).toEqual([BATCH, CLASSES.length]);
    expect(relativeError(logits?.data as Float32Array, of.logits)).toBeLessThan(bound);
    expect(distance(probabilities?.data as Float32Array, of.probabilities)).toBeLessThan(ofProbabilities(bound, of));
    expect(new TextDecoder().decode(bytes)).toContain(JSON.stringify(CLASSES));
  });

  test.each([
    { fold: false, half: false, bound: 1e-5 },
    { fold: true, half: true, bound: 5e-3 },
  ])('tfjs-layers gives the same: %o', async ({ fold, half, bound }) => {
    const { json, weights } = toLayersModel(inferenceGraph(of.trained, { fold }), { half });
    const { modelTopology, weightsManifest, userDefinedMetadata } = JSON.parse(json) as {
      modelTopology: tf.io.ModelJSON['modelTopology'];
      weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
      userDefinedMetadata: { classes: string[] };
    };
    expect(userDefinedMetadata.classes).toEqual(CLASSES);
    const weightSpecs = weightsManifest.flatMap((group) => group.weights);
    const model = await loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs, weightData: Uint8Array.from(weights).buffer }),
    );
    const y = tf.tidy(() => model.predict(tf.tensor4d(of.pixels, [BATCH, imageSize, imageSize, 3])) as tf.Tensor);
    const found = Float32Array.from(await y.data());
    y.dispose();
    expect(distance(found, of.probabilities)).toBeLessThan(ofProbabilities(bound, of));
    model.dispose();
  });
});

describe('under torchvision names', () => {
  test('what is written is what the reader of torchvision weights takes', async () => {
    await useBackend('cpu');
    const { trained } = await sample('torchvision', 'linear', 32);
    const file = readSafetensors(writeSafetensors(toTorchvision(trained, { half: false })), 'exported');
    const { tensors } = fromTorchvision(file, { label: 'exported', hash: '', architecture: TINY });
    for (const [name, { shape, data }] of trained.tensors)
      expect(tensors.get(name.replace('head/dense_0', 'predictions')), name).toEqual({ shape, data });
    expect(torchvisionNotes(trained)).toEqual([]);
  });

  test('a bias of a convolution is part of the running mean behind it', async () => {
    await useBackend('cpu');
    const { trained } = await sample('keras', [4, 6], 32);
    const tensors = toTorchvision(trained, { half: true });
    const bias = trained.tensors.get('conv1_conv/bias')!.data;
    const mean = trained.tensors.get('conv1_bn/moving_mean')!.data;
    expect(tensors.get('bn1.running_mean')?.data).toEqual(mean.map((value, c) => Math.fround(value - bias[c]!)));
    expect(tensors.get('fc.2.weight')).toMatchObject({ shape: [6, 4], dtype: 'F16' });
    expect([...tensors.keys()].filter((name) => name.includes('conv1.bias'))).toEqual([]);
    expect(torchvisionNotes(trained)).toHaveLength(4);
  });
});

test('a batch-norm folded by hand', () => {
  const vector = (...values: number[]): WeightTensor => ({ shape: [values.length], data: Float32Array.from(values) });
  const conv: ConvNode = {
    kind: 'conv',
    name: 'c',
    inputs: ['x'],
    kernel: { shape: [1, 1, 2, 2], data: Float32Array.of(1, 2, 3, 4) },
    bias: vector(1, -1),
    stride: 1,
    pad: 0,
  };
  const norm = { kind: 'batch-norm', name: 'n', inputs: ['c'], gamma: vector(2, 3), beta: vector(5, 7), mean: vector(3, 1), variance: vector(3, 8), epsilon: 1 } as const; // prettier-ignore
  // Scales 2 / 2 and 3 / 3; biases (1 - 3) 1 + 5 and (-1 - 1) 1 + 7.
  expect(folded(conv, norm)).toMatchObject({ name: 'n', kernel: conv.kernel, bias: vector(3, 5) });
  const wide = folded({ ...conv, bias: undefined }, { ...norm, gamma: vector(4, 6) });
  expect([...wide.kernel.data]).toEqual([2, 4, 6, 8]);
  expect([...wide.bias!.data]).toEqual([-1, 5]);
});

test('halves, by the bits of the standard', () => {
  const values = [0, -0, 1, -2, 65504, 65519.99, 65520, Infinity, -Infinity, 2 ** -14, 2 ** -24, 2 ** -25, 1.5 * 2 ** -25, 2 ** -26, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 1023 * 2 ** -24, 1023.5 * 2 ** -24]; // prettier-ignore
  const bits = [0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x400, 1, 0, 1, 0, 0x3c00, 0x3c02, 0x3ff, 0x400]; // prettier-ignore
  expect([...halfBits(Float32Array.from(values))]).toEqual(bits);
  expect(halfBits(Float32Array.of(NaN))[0]! & 0x7fff).toBeGreaterThan(0x7c00);
  expect(Object.keys(VARIANTS).sort()).toEqual(Object.keys(NORMALISATIONS).sort());
});
