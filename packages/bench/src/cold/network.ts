// ResNet-50 as a program writes it that knows TensorFlow.js alone: convolutions with folded batch-norm, from one file of
// numbers. It imports nothing else, so that a cold start loads what its engine needs and no more.
import * as tf from '@tensorflow/tfjs-core';
import type { ConvSpec, TrunkSpec } from '@thaw/model';

type Unit = Pick<ConvSpec, 'size' | 'stride' | 'pad' | 'inChannels' | 'outChannels'>;

/** What is needed of a trunk's description, as plain data. */
export interface ColdNetwork {
  readonly stem: Unit;
  readonly blocks: readonly {
    readonly convs: readonly [Unit, Unit, Unit];
    readonly shortcut: Unit | undefined;
  }[];
}

/** Every convolution, in the order in which the file has their filters and biases. */
export const unitsOf = ({ stem, blocks }: Pick<TrunkSpec, 'stem' | 'blocks'>): ConvSpec[] => [
  stem,
  ...blocks.flatMap(({ convs, shortcut }) => [...convs, ...(shortcut ? [shortcut] : [])]),
];

type Layer = (x: tf.Tensor4D, activation: 'relu' | 'linear') => tf.Tensor4D;

/**
 * The forward pass to the average of the last stage.
 * @param numbers of each convolution its filter [size, size, in, out] and its bias [out], one after the other
 * @returns images [batch, height, width, 3] to features [batch, channels]
 */
export function buildForward({ stem, blocks }: ColdNetwork, numbers: Float32Array): (x: tf.Tensor4D) => tf.Tensor2D {
  let at = 0;
  const take = (length: number): Float32Array => numbers.subarray(at, (at += length));
  const layerOf = ({ size, stride, pad, inChannels, outChannels }: Unit): Layer => {
    const filter = tf.tensor4d(take(size * size * inChannels * outChannels), [size, size, inChannels, outChannels]);
    const bias = tf.tensor1d(take(outChannels));
    return (x, activation) =>
      tf.fused.conv2d({ x, filter, bias, strides: stride, pad, dimRoundingMode: 'floor', activation });
  };
  const first = layerOf(stem);
  const rest = blocks.map(({ convs: [a, b, c], shortcut }) => ({
    convs: [layerOf(a), layerOf(b), layerOf(c)] as const,
    shortcut: shortcut && layerOf(shortcut),
  }));
  return (x) =>
    tf.tidy(() => {
      let y: tf.Tensor4D = tf.maxPool(first(x, 'relu'), 3, 2, 1, 'floor');
      for (const {
        convs: [a, b, c],
        shortcut,
      } of rest)
        y = tf.relu(tf.add<tf.Tensor4D>(c(b(a(y, 'relu'), 'relu'), 'linear'), shortcut?.(y, 'linear') ?? y));
      return tf.mean(y, [1, 2]);
    });
}
