// A tiny network of the same blocks against the float64 reference: forward in inference and training, every gradient by
// finite differences, and what a training step may change and what it may not.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batchNormMode, resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { layerTable, VARIANTS, type VariantName } from '../resnet50/index.ts';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { relativeError } from '../testing/numbers.ts';
import { referenceForward, type Activation, type Values } from '../testing/reference-network.ts';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { randomWeights, type TrunkWeights } from '../weights/index.ts';
import { ResNet50, type ResNet50Options } from './index.ts';

const SHAPE: [number, number, number, number] = [3, 16, 16, 3];
const images: Activation = { shape: SHAPE, data: Float64Array.from(noise(3 * 16 * 16 * 3, 9)) };
const NAMES = Object.keys(VARIANTS) as VariantName[];
/** Of the loss: one for each of the 3 x 2 x 2 x 6 outputs. */
const lossWeights = noise(3 * 2 * 2 * 6, 5);

function tinyWeights(variant: VariantName): TrunkWeights {
  const weights = randomWeights({ seed: 4, variant, architecture: TINY });
  disturbBatchNorm(weights.tensors);
  return weights;
}

function network(
  weights: TrunkWeights,
  spec: string,
  batchNorm: BatchNormPolicy = 'keras',
  more: Partial<ResNet50Options> = {},
): ResNet50 {
  const options = { imageSize: 16, architecture: TINY };
  const table = layerTable(VARIANTS[weights.variant], options);
  return new ResNet50(weights, { trainable: resolveFreeze(spec, table), batchNorm, ...options, ...more });
}

const imageTensor = (): tf.Tensor4D => tf.tensor4d(Float32Array.from(images.data), SHAPE);

function loss(net: ResNet50, h: tf.Tensor4D): tf.Scalar {
  const y = net.trainablePart(h);
  return tf.sum(tf.mul(y, tf.tensor4d(lossWeights, y.shape)));
}

/** One gradient step of plain descent through the public API; the gradients by Keras name. */
async function step(net: ResNet50, learningRate: number): Promise<Map<string, Float32Array>> {
  const h = tf.tidy(() => net.frozenPart(imageTensor()));
  const trainables = [...net.trainables];
  if (trainables.length === 0) {
    net.trainablePart(h).dispose();
    h.dispose();
    return new Map();
  }
  const { value, grads } = tf.variableGrads(
    () => loss(net, h),
    trainables.map(([, variable]) => variable),
  );
  const gradients = new Map<string, Float32Array>();
  for (const [name, variable] of trainables) {
    const gradient = grads[variable.name]!;
    gradients.set(name, Float32Array.from(await gradient.data<'float32'>()));
    const moved = tf.tidy(() => tf.sub(variable, tf.mul(gradient, learningRate)));
    variable.assign(moved);
    moved.dispose();
  }
  tf.dispose([h, value, grads]);
  return gradients;
}

describeOnBackends('the network', 'cpu', (backend) => {
  beforeAll(async () => useBackend(backend));

  let before: number;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  describe.each(NAMES)('%s', (variant) => {
    const table = layerTable(VARIANTS[variant], { imageSize: 16, architecture: TINY });
    const reference = (
      values: Values,
      policy: BatchNormPolicy,
      trainable: ReadonlySet<string>,
    ): ReturnType<typeof referenceForward> =>
      referenceForward(images, {
        variant: VARIANTS[variant],
        table,
        values,
        onBatch: (name) => batchNormMode(policy, trainable.has(name)) === 'batch',
      });

    test.each([
      ['none', 'keras'],
      ['all', 'keras'],
      ['all', 'frozen'],
      ['none', 'train'],
      ['conv3', 'keras'],
      ['/_conv$/', 'keras'],
      ['/_bn$/', 'frozen'],
      ['conv2_block1_2_conv,conv2_block2_1_bn', 'train'],
    ] as const)('inference with %s trainable, batch-norm %s', async (spec, policy) => {
      const weights = tinyWeights(variant);
      const net = network(weights, spec, policy);
      const want = reference(weights.tensors, 'frozen', new Set()).output;
      const [x, y] = tf.tidy(() => {
        const input = imageTensor();
        return [tf.keep(net.trunk(input)), tf.keep(net.features(input))];
      });
      expect(x.shape).toEqual(want.shape);
      expect(relativeError(await x.data(), want.data)).toBeLessThan(2e-6);
      const [n, height, width, channels] = want.shape;
      const means = Float64Array.from({ length: n * channels }, (_, i) => {
        const [image, c] = [Math.floor(i / channels), i % channels];
        let sum = 0;
        for (let p = 0; p < height * width; p++) sum += want.data[(image * height * width + p) * channels + c]!;
        return sum / (height * width);
      });
      expect(relativeError(await y.data(), means)).toBeLessThan(2e-6);
      tf.dispose([x, y]);
      net.dispose();
    });

    test.each([
      ['all', 'keras'],
      ['all', 'frozen'],
      ['conv3_block1,conv2_block1_1_conv', 'keras'],
      ['/_bn$/', 'keras'],
      ['conv2_block1_2_conv,conv2_block2_1_bn', 'train'],
      [':-12', 'keras'],
    ] as const)('every gradient with %s trainable, batch-norm %s, by finite differences', async (spec, policy) => {
      const weights = tinyWeights(variant);
      const trainable = resolveFreeze(spec, table);
      const net = network(weights, spec, policy);
      const gradients = await step(net, 0);
      const expected = table
        .filter(({ name }) => trainable.has(name))
        .flatMap(({ variables }) => variables.filter(({ statistic }) => !statistic).map(({ name }) => name));
      expect([...gradients.keys()].sort()).toEqual(expected.sort());

      const values = new Map(
        [...weights.tensors].map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]),
      );
      const lossAt = (): number =>
        reference(values, policy, trainable).output.data.reduce((sum, y, i) => sum + y * lossWeights[i]!, 0);
      const got: number[] = [];
      const want: number[] = [];
      for (const [name, gradient] of gradients) {
        const { data } = values.get(name)!;
        // At most eight of each variable, spread over it.
        for (let i = 0; i < data.length; i += Math.max(1, Math.floor(data.length / 8))) {
          const value = data[i]!;
          const h = 1e-6;
          data[i] = value + h;
          const above = lossAt();
          data[i] = value - h;
          const below = lossAt();
          data[i] = value;
          got.push(gradient[i]!);
          want.push((above - below) / (2 * h));
        }
      }
      expect(relativeError(got, want)).toBeLessThan(1e-5);
      net.dispose();
    });

    test.each([0.99, 0.75])('moving statistics follow the batch: momentum %f, unbiased variance', async (momentum) => {
      const weights = tinyWeights(variant);
      const net = network(weights, 'all', 'keras', momentum === 0.99 ? {} : { batchNormMomentum: momentum });
      await step(net, 0);
      const { statistics } = reference(weights.tensors, 'keras', new Set(table.map(({ name }) => name)));
      expect(statistics.size).toBe(table.filter(({ kind }) => kind === 'BatchNormalization').length);
      const state = await net.exportWeights();
      for (const [layer, { mean, biasedVariance, count }] of statistics) {
        const unbiased = biasedVariance.map((v) => (v * count) / (count - 1));
        for (const [name, batch] of [
          ['moving_mean', mean],
          ['moving_variance', unbiased],
        ] as const) {
          const old = weights.tensors.get(`${layer}/${name}`)!.data;
          const want = [...old].map((value, c) => value * momentum + batch[c]! * (1 - momentum));
          expect(relativeError(state.tensors.get(`${layer}/${name}`)!.data, want), `${layer}/${name}`).toBeLessThan(
            1e-6,
          );
        }
      }
      net.dispose();
    });

    test.each([
      ['none', 'keras'],
      ['all', 'keras'],
      ['all', 'frozen'],
      ['conv3', 'keras'],
      ['-12:', 'frozen'],
      [':-12', 'keras'],
      ['/_bn$/', 'keras'],
      ['/_conv$/', 'keras'],
      ['none', 'train'],
      ['conv3', 'train'],
    ] as const)(
      'steps with %s trainable, batch-norm %s: frozen bits stay, trainable ones move',
      async (spec, policy) => {
        const weights = tinyWeights(variant);
        const original = new Map([...weights.tensors].map(([name, { data }]) => [name, data.slice()]));
        const trainable = resolveFreeze(spec, table);
        const net = network(weights, spec, policy);
        const h = tf.tidy(() => net.frozenPart(imageTensor()));
        const frozenBefore = await h.data();
        if (net.isFrozen) expect([spec, policy]).toEqual(['none', 'keras']);
        else for (let i = 0; i < 2; i++) await step(net, 0.05);
        const after = await net.exportWeights();
        for (const layer of table) {
          const moves = batchNormMode(policy, trainable.has(layer.name)) === 'batch';
          for (const { name, statistic } of layer.variables) {
            const same = Buffer.from(after.tensors.get(name)!.data.buffer).equals(
              Buffer.from(original.get(name)!.buffer),
            );
            const mayMove = statistic ? moves : trainable.has(layer.name);
            // A bias in front of a batch-norm on the batch's statistics has no effect, and so (rounding apart) no gradient.
            if (mayMove && name.endsWith('_conv/bias')) continue;
            expect(same, name).toBe(!mayMove);
          }
        }
        // The weights that were handed over are not written to, and the frozen part computes the same bits as before.
        for (const [name, data] of original) expect(weights.tensors.get(name)!.data, name).toEqual(data);
        const again = tf.tidy(() => net.frozenPart(imageTensor()));
        expect(await again.data()).toEqual(frozenBefore);
        expect(after.hash === weights.hash).toBe(net.variables.size === 0);
        tf.dispose([h, again]);
        net.dispose();
      },
    );
  });

  test('the cut is below the block of the lowest layer that trains', () => {
    const weights = tinyWeights('keras');
    const cut = (spec: string, policy?: BatchNormPolicy): [string, readonly number[]] => {
      const net = network(weights, spec, policy);
      const { layer, shape } = net.frozenOutput;
      net.dispose();
      return [layer, shape];
    };
    expect(cut('none')).toEqual(['conv3_block1_out', [2, 2, 6]]);
    expect(cut('conv3')).toEqual(['conv2_block2_out', [4, 4, 4]]);
    expect(cut('conv2_block2_3_bn')).toEqual(['conv2_block1_out', [4, 4, 4]]);
    expect(cut('conv2')).toEqual(['pool1_pool', [4, 4, 3]]);
    expect(cut('all')).toEqual(['input_1', [16, 16, 3]]);
    expect(cut('none', 'train')).toEqual(['input_1', [16, 16, 3]]);
    // A layer without variables trains nothing.
    expect(cut('conv2_block1_add')).toEqual(['conv3_block1_out', [2, 2, 6]]);
  });

  test('tensor count is constant from step to step', async () => {
    const net = network(tinyWeights('keras'), 'all');
    await step(net, 0.01);
    const { numTensors, numBytes } = tf.memory();
    for (let i = 0; i < 3; i++) await step(net, 0.01);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    net.dispose();
  });

  test('state and restore: a second network continues with the same bits, side by side', async () => {
    const weights = tinyWeights('keras');
    const [one, other] = [network(weights, 'conv3'), network(weights, 'conv3')];
    await step(one, 0.05);
    const saved = new Map<string, { shape: number[]; data: Float32Array }>();
    for (const [name, tensor] of one.state())
      saved.set(name, { shape: tensor.shape, data: (await tensor.data<'float32'>()).slice() });
    expect([...saved.keys()]).toContain('conv3_block1_1_bn/moving_mean');
    other.restore(saved);
    await step(one, 0.05);
    await step(other, 0.05);
    expect((await other.exportWeights()).tensors).toEqual((await one.exportWeights()).tensors);

    const short = new Map(saved);
    short.delete('conv3_block1_1_conv/kernel');
    expect(() => other.restore(short)).toThrow(/'conv3_block1_1_conv\/kernel' of shape \[1, 1, 4, 3\] is missing/);
    expect(() =>
      other.restore(new Map(saved).set('conv3_block1_1_conv/kernel', { shape: [4], data: noise(4) })),
    ).toThrow(/'conv3_block1_1_conv\/kernel' has shape \[4\], but the network needs \[1, 1, 4, 3\]/);
    expect(() => other.restore(new Map(saved).set('conv1_conv/kernel', { shape: [4], data: noise(4) }))).toThrow(
      /'conv1_conv\/kernel' is no variable of this network; were other layers trainable\?/,
    );
    one.dispose();
    other.dispose();
  });

  test('clear errors', () => {
    const weights = tinyWeights('keras');
    const net = network(weights, 'none');
    tf.tidy(() => {
      expect(() => net.logits(imageTensor())).toThrow(/these weights have no top/);
      expect(() => net.features(tf.zeros([1, 16, 16, 1]))).toThrow(
        /images must be \[batch, height, width, 3\], got \[1, 16, 16, 1\]/,
      );
    });
    const options = { imageSize: 16, architecture: TINY };
    expect(() => new ResNet50(weights, { ...options, trainable: new Set(['predictions']) })).toThrow(
      /no layer 'predictions'/,
    );
    net.dispose();
  });
});
