/** A trained classifier as a graph for inference, from pixels to probabilities: what is written for other runtimes. */
import { describeTrunk, stemPoolPadding, VARIANTS, type Architecture, type ConvSpec, type VariantName } from '../resnet50/index.ts'; // prettier-ignore
import { outputLength } from '../resnet50/trunk.ts';
import { WeightsError, type WeightTensor } from '../weights/index.ts';

/** Names the node's output, too. */
interface Node<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
  /** Names of the nodes that it reads. */
  readonly inputs: readonly string[];
}

/** RGB of 0 to 255: y = scale x + shift by channel. */
export interface NormaliseNode extends Node<'normalise'> {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}
export interface ConvNode extends Node<'conv'> {
  /** [height, width, in, out] */
  readonly kernel: WeightTensor;
  readonly bias: WeightTensor | undefined;
  readonly stride: number;
  /** Zero pixels on each side. */
  readonly pad: number;
}
export interface BatchNormNode extends Node<'batch-norm'> {
  readonly gamma: WeightTensor;
  readonly beta: WeightTensor;
  readonly mean: WeightTensor;
  readonly variance: WeightTensor;
  readonly epsilon: number;
}
/** 3x3, stride 2, over pixels that are at least 0. */
export interface MaxPoolNode extends Node<'max-pool'> {
  readonly size: number;
  readonly stride: number;
  readonly padding: readonly [before: number, after: number];
}
export interface DenseNode extends Node<'dense'> {
  /** [in, out] */
  readonly kernel: WeightTensor;
  readonly bias: WeightTensor;
}
export type GraphNode =
  | NormaliseNode
  | ConvNode
  | BatchNormNode
  | MaxPoolNode
  | DenseNode
  | Node<'relu'>
  | Node<'add'>
  /** The mean over height and width: [channels]. */
  | Node<'average-pool'>
  /** Height, width, channels: the channels run fastest. */
  | Node<'flatten'>
  | Node<'softmax'>;

export interface Graph {
  /** Height and width of the input `images`: [batch, height, width, 3], RGB of 0 to 255. */
  readonly imageSize: number;
  readonly classes: readonly string[];
  /** In an order in which every node comes after what it reads. The last two are `logits` and `probabilities`. */
  readonly nodes: readonly GraphNode[];
}

/** Name of the graph's input. */
export const IMAGES = 'images';

/** A trained classifier's parts, wherever they came from. */
export interface TrainedClassifier {
  readonly variant: VariantName;
  readonly imageSize: number;
  readonly classes: readonly string[];
  /** Every variable of trunk and head: `conv1_conv/kernel`, ..., `head/dense_0/bias`. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  /** How the trunk's map becomes what the head reads. */
  readonly pooling: 'average' | 'flatten';
  /** From RGB of 0 to 255: channel c of the trunk's input is scale[c] rgb[channels[c]] + shift[c]. */
  readonly normalisation: {
    readonly channels: readonly number[];
    readonly scale: readonly number[];
    readonly shift: readonly number[];
  };
  /** Default ResNet-50. */
  readonly architecture?: Architecture;
}

/**
 * The graph of a classifier at inference.
 * @param fold whether frozen batch-norms become part of the convolutions before them
 * @throws WeightsError when a variable is missing
 */
export function inferenceGraph(trained: TrainedClassifier, { fold }: { fold: boolean }): Graph {
  const { imageSize, classes, normalisation, pooling } = trained;
  const variant = VARIANTS[trained.variant];
  const trunk = describeTrunk(variant, trained.architecture);
  const nodes: GraphNode[] = [];
  const tensor = (name: string): WeightTensor => variableOf(trained, name);
  const add = (node: GraphNode): string => {
    nodes.push(node);
    return node.name;
  };
  const convBn = ({ conv, bn, stride, pad }: ConvSpec, input: string, kernel: WeightTensor): string => {
    const bias = variant.convBias ? tensor(`${conv}/bias`) : undefined;
    const node: ConvNode = { kind: 'conv', name: conv, inputs: [input], kernel, bias, stride, pad };
    const norm: BatchNormNode = {
      kind: 'batch-norm',
      name: bn,
      inputs: [conv],
      gamma: tensor(`${bn}/gamma`),
      beta: tensor(`${bn}/beta`),
      mean: tensor(`${bn}/moving_mean`),
      variance: tensor(`${bn}/moving_variance`),
      epsilon: variant.epsilon,
    };
    if (fold) return add(folded(node, norm));
    add(node);
    return add(norm);
  };
  const relu = (name: string, input: string): string => add({ kind: 'relu', name, inputs: [input] });
  const convBnRelu = (spec: ConvSpec, input: string, kernel = tensor(`${spec.conv}/kernel`)): string =>
    relu(spec.bn.replace(/_bn$/, '_relu'), convBn(spec, input, kernel));

  let x = add({ kind: 'normalise', name: 'normalised', inputs: [IMAGES], ...inRgbOrder(normalisation) });
  x = convBnRelu(trunk.stem, x, rgbKernel(tensor(`${trunk.stem.conv}/kernel`), normalisation.channels));
  const padding = stemPoolPadding(variant, outputLength(imageSize, 7, 2, 3, 3));
  x = add({ kind: 'max-pool', name: 'pool1_pool', inputs: [x], size: 3, stride: 2, padding });
  for (const { name, convs, shortcut, output } of trunk.blocks) {
    const [first, second, third] = convs;
    const inner = convBn(third, convBnRelu(second, convBnRelu(first, x)), tensor(`${third.conv}/kernel`));
    const beside = shortcut ? convBn(shortcut, x, tensor(`${shortcut.conv}/kernel`)) : x;
    x = relu(output, add({ kind: 'add', name: `${name}_add`, inputs: [beside, inner] }));
  }
  x = add({ kind: pooling === 'flatten' ? 'flatten' : 'average-pool', name: 'features', inputs: [x] });
  const layers = headLayers(trained);
  for (const [i, { kernel, bias }] of layers.entries()) {
    const isLast = i === layers.length - 1;
    x = add({ kind: 'dense', name: isLast ? 'logits' : `head_dense_${i}`, inputs: [x], kernel, bias });
    if (!isLast) x = relu(`head_relu_${i}`, x);
  }
  add({ kind: 'softmax', name: 'probabilities', inputs: [x] });
  return { imageSize, classes, nodes };
}

/** The head's dense layers, in order. @throws WeightsError when there is none */
export function headLayers({ tensors }: TrainedClassifier): { kernel: WeightTensor; bias: WeightTensor }[] {
  const layers: { kernel: WeightTensor; bias: WeightTensor }[] = [];
  for (;;) {
    const kernel = tensors.get(`head/dense_${layers.length}/kernel`);
    const bias = tensors.get(`head/dense_${layers.length}/bias`);
    if (!kernel || !bias) break;
    layers.push({ kernel, bias });
  }
  if (layers.length === 0) throw new WeightsError('the classifier has no head: head/dense_0/kernel is missing.');
  return layers;
}

/** @throws WeightsError naming the missing variable */
export function variableOf({ tensors }: TrainedClassifier, name: string): WeightTensor {
  const found = tensors.get(name);
  if (!found) throw new WeightsError(`the classifier has no '${name}'.`);
  return found;
}

/**
 * A convolution with the batch-norm behind it, at inference: with s = gamma / sqrt(variance + epsilon),
 * kernel s and bias (bias - mean) s + beta. In float64, rounded once.
 */
export function folded(conv: ConvNode, norm: BatchNormNode): ConvNode {
  const { kernel, bias } = conv;
  const at = ({ data }: WeightTensor, c: number): number => data[c] ?? NaN;
  const channels = norm.gamma.data.length;
  const scale = Array.from({ length: channels }, (_, c) => at(norm.gamma, c) / Math.sqrt(at(norm.variance, c) + norm.epsilon)); // prettier-ignore
  const shift = scale.map((s, c) => ((bias ? at(bias, c) : 0) - at(norm.mean, c)) * s + at(norm.beta, c));
  return {
    ...conv,
    name: norm.name,
    kernel: { shape: kernel.shape, data: kernel.data.map((value, i) => value * (scale[i % channels] ?? NaN)) },
    bias: { shape: [channels], data: Float32Array.from(shift) },
  };
}

/** The normalisation with its output in the order of RGB. */
function inRgbOrder({ channels, scale, shift }: TrainedClassifier['normalisation']): {
  scale: Float32Array;
  shift: Float32Array;
} {
  const of = (values: readonly number[]): Float32Array =>
    Float32Array.from({ length: 3 }, (_, rgb) => values[channels.indexOf(rgb)] ?? NaN);
  return { scale: of(scale), shift: of(shift) };
}

/** The stem's kernel for an input in RGB: what it read as channel c it finds at channels[c]. */
function rgbKernel({ shape, data }: WeightTensor, channels: readonly number[]): WeightTensor {
  const [height = 0, width = 0, inC = 0, outC = 0] = shape;
  const moved = new Float32Array(data.length);
  for (let tap = 0; tap < height * width; tap++)
    for (let c = 0; c < inC; c++) {
      const from = (tap * inC + c) * outC;
      moved.set(data.subarray(from, from + outC), (tap * inC + (channels[c] ?? c)) * outC);
    }
  return { shape, data: moved };
}
