// Each layer of tfjs-layers on thaw and on tfjs-cpu, from the same weights: the result and every gradient.
import * as tf from '@tensorflow/tfjs-core';
// As @tensorflow/tfjs has them: tfjs-layers makes orthogonal weights with them.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import * as tfl from '@tensorflow/tfjs-layers';
import { test } from 'vitest';
import { expectLikeCpu } from '../testing/against-cpu.ts';
import { elements } from '../testing/arbitrary.ts';
import { random, randomIntegers } from '../testing/compare.ts';

const { layers } = tfl;
type Layer = tfl.layers.Layer;

interface LayerCase {
  readonly name: string;
  readonly layer: () => Layer;
  /** Shapes of its inputs: numbers in [-1, 1). */
  readonly inputs: readonly number[][];
  /** Whole numbers below it instead, which have no gradient. */
  readonly below?: number;
  readonly training?: boolean;
  /** False where TensorFlow.js has no gradient. */
  readonly gradient?: false;
}

const image = [2, 7, 6, 3];
const volume = [2, 5, 6, 4, 2];
const sequence = [2, 5, 3];
const one = (name: string, layer: () => Layer, input: number[], more: Partial<LayerCase> = {}): LayerCase => ({ name, layer, inputs: [input], ...more }); // prettier-ignore
const two = (name: string, layer: () => Layer): LayerCase => ({ name, layer, inputs: [image, image] });

const cases: readonly LayerCase[] = [
  one('conv1d', () => layers.conv1d({ filters: 5, kernelSize: 3, padding: 'same' }), sequence),
  one('conv2d', () => layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }), image),
  one('conv2d, dilated', () => layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: 2, activation: 'sigmoid' }), image, { gradient: false }),
  one('conv2d, channels first', () => layers.conv2d({ filters: 5, kernelSize: 3, dataFormat: 'channelsFirst' }), image),
  one('conv2dTranspose', () => layers.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }), image),
  one('conv2dTranspose, valid', () => layers.conv2dTranspose({ filters: 2, kernelSize: [2, 3], strides: [1, 2] }), image),
  one('conv3d', () => layers.conv3d({ filters: 3, kernelSize: 3, padding: 'same' }), volume),
  one('conv3dTranspose', () => layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2 }), volume, { gradient: false }),
  one('depthwiseConv2d', () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }), image),
  one('separableConv2d', () => layers.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }), image),
  // Of one image, as tfjs-cpu's gradient of a batch is wrong (docs/conformance.md).
  one('upSampling2d', () => layers.upSampling2d({ size: [2, 3] }), [1, 7, 6, 3]),
  one('upSampling2d, bilinear', () => layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), [2, 5, 5, 3]),
  one('zeroPadding2d', () => layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), image),
  one('cropping2D', () => layers.cropping2D({ cropping: [[1, 2], [0, 3]] }), image),
  one('maxPooling1d', () => layers.maxPooling1d({ poolSize: 2 }), sequence),
  one('maxPooling2d', () => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), image),
  one('maxPooling3d', () => layers.maxPooling3d({ poolSize: 2, strides: 2 }), volume),
  one('averagePooling1d', () => layers.averagePooling1d({ poolSize: 2 }), sequence),
  one('averagePooling2d', () => layers.averagePooling2d({ poolSize: [3, 2], strides: 1 }), image),
  one('averagePooling3d', () => layers.averagePooling3d({ poolSize: 2, strides: 2 }), volume),
  one('globalAveragePooling1d', () => layers.globalAveragePooling1d(), sequence),
  one('globalAveragePooling2d', () => layers.globalAveragePooling2d({}), image),
  one('globalMaxPooling1d', () => layers.globalMaxPooling1d(), sequence),
  one('globalMaxPooling2d', () => layers.globalMaxPooling2d({}), image),
  one('batchNormalization, training', () => layers.batchNormalization(), image, { training: true }),
  one('batchNormalization', () => layers.batchNormalization(), image),
  one('layerNormalization', () => layers.layerNormalization({ epsilon: 1e-3 }), image),
  one('dropout', () => layers.dropout({ rate: 0.3, seed: 7 }), image, { training: true }),
  one('spatialDropout1d', () => layers.spatialDropout1d({ rate: 0.3, seed: 7 }), sequence, { training: true }),
  one('dense', () => layers.dense({ units: 4, activation: 'tanh' }), [3, 7]),
  one('dense of a sequence', () => layers.dense({ units: 4, activation: 'softmax' }), sequence),
  one('elu', () => layers.elu(), image),
  one('leakyReLU', () => layers.leakyReLU(), image),
  one('prelu', () => layers.prelu(), image),
  one('reLU of at most a half', () => layers.reLU({ maxValue: 0.5 }), image),
  one('softmax', () => layers.softmax(), [3, 7]),
  one('thresholdedReLU', () => layers.thresholdedReLU({ theta: 0.3 }), image, { gradient: false }),
  ...(['gelu', 'gelu_new', 'hardSigmoid', 'mish', 'selu', 'softplus', 'softsign', 'swish'] as const).map((activation) =>
    one(`activation ${activation}`, () => layers.activation({ activation }), image),
  ),
  one('flatten', () => layers.flatten(), image),
  one('permute', () => layers.permute({ dims: [3, 1, 2] }), image),
  one('repeatVector', () => layers.repeatVector({ n: 3 }), [2, 5]),
  one('reshape', () => layers.reshape({ targetShape: [6, -1] }), image),
  one('embedding', () => layers.embedding({ inputDim: 9, outputDim: 4 }), [2, 5], { below: 9 }),
  one('masking', () => layers.masking({ maskValue: 0 }), sequence, { below: 2, gradient: false }),
  one('rescaling', () => layers.rescaling({ scale: 0.25, offset: 1 }), image),
  one('resizing', () => layers.resizing({ height: 4, width: 4 }), [2, 8, 8, 3]),
  one('centerCrop', () => layers.centerCrop({ height: 4, width: 4 }), [2, 8, 8, 3], { below: 9, gradient: false }),
  two('add', () => layers.add()),
  two('average', () => layers.average()),
  two('concatenate', () => layers.concatenate({ axis: 2 })),
  two('maximum', () => layers.maximum()),
  two('minimum', () => layers.minimum()),
  two('multiply', () => layers.multiply()),
  { name: 'dot', layer: () => layers.dot({ axes: 1 }), inputs: [[2, 4], [2, 4]] },
  one('simpleRNN', () => layers.simpleRNN({ units: 4, returnSequences: true }), sequence),
  one('gru', () => layers.gru({ units: 4 }), sequence),
  one('gru, reset after', () => layers.gru({ units: 4, returnSequences: true, goBackwards: true }), sequence),
  one('lstm', () => layers.lstm({ units: 4 }), sequence),
  one('lstm, sequences', () => layers.lstm({ units: 4, returnSequences: true }), sequence),
  one('bidirectional lstm', () => layers.bidirectional({ layer: layers.lstm({ units: 4, returnSequences: true }), mergeMode: 'concat' }), sequence),
  one('timeDistributed', () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) }), sequence),
  one('convLstm2d', () => layers.convLstm2d({ filters: 2, kernelSize: 3, padding: 'same' }), [1, 2, 5, 5, 2]),
]; // prettier-ignore

/** In [-1, 1), but a variance. */
const weight = (name: string, shape: number[], seed: number): tf.Tensor => {
  const values = random(elements(shape), seed);
  return tf.tensor(name.includes('variance') ? values.map((v) => 1.5 + v) : values, shape);
};

/** The layer's result and its gradients with respect to inputs and weights, all of which come of seeds. */
function resultAndGradients({ layer: make, inputs, below, training = false, gradient }: LayerCase): tf.Tensor[] {
  const layer = make();
  const x = inputs.map((shape, i) => {
    const length = elements(shape);
    const values = below === undefined ? random(length, i + 1) : randomIntegers(length, below, i + 1);
    return tf.variable(tf.tensor(values, shape, 'float32'));
  });
  const apply = (): tf.Tensor => layer.apply(x.length === 1 ? x[0]! : x, { training }) as tf.Tensor;
  // A layer has its weights when it was applied once.
  const { shape } = apply();
  layer.setWeights(layer.weights.map((one, i) => weight(one.originalName, one.shape as number[], 11 + i)));
  const results = [apply()];
  if (gradient !== false) {
    const weights = layer.trainableWeights.flatMap((one) => {
      const value = one.read();
      return value instanceof tf.Variable ? [value] : [];
    });
    const variables = below === undefined ? [...x, ...weights] : weights;
    const dy = tf.tensor(random(elements(shape), 99), shape);
    const { grads } = tf.variableGrads(() => tf.sum(tf.mul(apply(), dy)), variables.length > 0 ? variables : x);
    results.push(...Object.values(grads));
  }
  layer.dispose();
  tf.dispose(x);
  return results;
}

test.each(cases)('$name', async (one) => {
  // No sum has more terms than all inputs together have elements.
  const terms = one.inputs.reduce((sum, shape) => sum + elements(shape), 0);
  await expectLikeCpu(() => resultAndGradients(one), { ulps: 4 * terms });
});
