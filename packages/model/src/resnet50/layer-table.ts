// The network as Keras's layer list: 175 layers without top, 177 with, in the order and under the names that Keras gives
// them (`ResNet50(include_top=False).layers`), so that an index means the same layer here and there.
import {
  describeTrunk,
  outputLength,
  stemPoolPadding,
  type Architecture,
  type BlockSpec,
  type ConvSpec,
} from './trunk.ts';
import type { Variant } from './variants.ts';

/** Keras's name for what a layer does. */
export type LayerKind =
  | 'InputLayer'
  | 'ZeroPadding2D'
  | 'Conv2D'
  | 'BatchNormalization'
  | 'Activation'
  | 'MaxPooling2D'
  | 'Add'
  | 'GlobalAveragePooling2D'
  | 'Dense';

/** A variable of a layer. */
export interface LayerVariable {
  /** `conv1_conv/kernel`, `conv1_bn/moving_mean`, ... */
  readonly name: string;
  /** As Keras has it: filters [height, width, in, out]. */
  readonly shape: readonly number[];
  /** A moving statistic: never trained, at most moved. */
  readonly statistic: boolean;
}

/** A layer of the network. */
export interface Layer {
  /** Its place in Keras's list, from 0. */
  readonly index: number;
  /** Keras's name of it. */
  readonly name: string;
  /** What it does. */
  readonly kind: LayerKind;
  /** Without the batch: [height, width, channels] or [channels]. */
  readonly outputShape: readonly number[];
  /** Number of values in all its variables. */
  readonly parameters: number;
  /** What it has to load or to learn. */
  readonly variables: readonly LayerVariable[];
  /** Names of the layers whose outputs it reads. */
  readonly inputs: readonly string[];
}

/** Of which network the table is. */
export interface LayerTableOptions {
  /** Height and width of the input, pixels. */
  imageSize: number;
  /** Adds `avg_pool` and `predictions`; default false. */
  includeTop?: boolean;
  /** Outputs of `predictions`; default 1000. */
  classes?: number;
  /** Default RESNET50. */
  architecture?: Architecture;
}

/**
 * Every layer of the network, in Keras's order.
 *
 * @throws when imageSize is not a whole number of at least 1.
 */
export function layerTable(variant: Variant, options: LayerTableOptions): readonly Layer[] {
  const { imageSize, includeTop = false, classes = 1000, architecture } = options;
  if (!Number.isInteger(imageSize) || imageSize < 1) {
    throw new Error(`layerTable: imageSize must be a whole number of at least 1, got ${imageSize}.`);
  }
  const trunk = describeTrunk(variant, architecture);
  const table = new TableBuilder(variant.convBias);

  table.add('InputLayer', 'input_1', [imageSize, imageSize, 3], []);
  table.pad('conv1_pad', trunk.stem.pad, trunk.stem.pad);
  table.convBnRelu(trunk.stem, 0);
  const [before, after] = stemPoolPadding(variant, table.height);
  table.pad('pool1_pad', before, after);
  const pooled = outputLength(table.height, 3, 2, 0, 0);
  table.add('MaxPooling2D', 'pool1_pool', [pooled, pooled, trunk.stem.outChannels]);
  for (const block of trunk.blocks) table.block(block);
  if (includeTop) {
    table.add('GlobalAveragePooling2D', 'avg_pool', [trunk.channels]);
    table.add('Dense', 'predictions', [classes], undefined, [
      variable('predictions/kernel', [trunk.channels, classes]),
      variable('predictions/bias', [classes]),
    ]);
  }
  return table.layers;
}

class TableBuilder {
  readonly layers: Layer[] = [];
  readonly #convBias: boolean;

  constructor(convBias: boolean) {
    this.#convBias = convBias;
  }

  get #last(): Layer {
    const last = this.layers.at(-1);
    if (!last) throw new Error('layerTable: the first layer must be the input.');
    return last;
  }

  /** Height of the last layer's output; its width is the same. */
  get height(): number {
    return this.#last.outputShape[0] ?? 0;
  }

  /** Appends a layer; without `inputs` it reads the one before it. */
  add(
    kind: LayerKind,
    name: string,
    outputShape: readonly number[],
    inputs?: readonly string[],
    variables: readonly LayerVariable[] = [],
  ): void {
    const parameters = variables.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const reads = inputs ?? [this.#last.name];
    this.layers.push({ index: this.layers.length, name, kind, outputShape, parameters, variables, inputs: reads });
  }

  pad(name: string, before: number, after: number): void {
    const length = this.height + before + after;
    this.add('ZeroPadding2D', name, [length, length, this.#last.outputShape[2] ?? 0]);
  }

  conv(spec: ConvSpec, input: Layer, pad: number): void {
    const length = outputLength(input.outputShape[0] ?? 0, spec.size, spec.stride, pad, pad);
    const variables = [variable(`${spec.conv}/kernel`, [spec.size, spec.size, spec.inChannels, spec.outChannels])];
    if (this.#convBias) variables.push(variable(`${spec.conv}/bias`, [spec.outChannels]));
    this.add('Conv2D', spec.conv, [length, length, spec.outChannels], [input.name], variables);
  }

  bn(spec: ConvSpec): void {
    const shape = [spec.outChannels];
    const statistic = true;
    this.add(
      'BatchNormalization',
      spec.bn,
      this.#layer(spec.conv).outputShape,
      [spec.conv],
      [
        variable(`${spec.bn}/gamma`, shape),
        variable(`${spec.bn}/beta`, shape),
        { name: `${spec.bn}/moving_mean`, shape, statistic },
        { name: `${spec.bn}/moving_variance`, shape, statistic },
      ],
    );
  }

  convBnRelu(spec: ConvSpec, pad: number): void {
    this.conv(spec, this.#last, pad);
    this.bn(spec);
    this.add('Activation', spec.bn.replace(/_bn$/, '_relu'), this.#last.outputShape);
  }

  block({ name, convs: [first, second, third], shortcut, output }: BlockSpec): void {
    const input = this.#last;
    this.convBnRelu(first, first.pad);
    this.convBnRelu(second, second.pad);
    const inner = this.#last;
    // Keras's depth-first order puts both last convolutions before both last batch-norms.
    if (shortcut) this.conv(shortcut, input, shortcut.pad);
    this.conv(third, inner, third.pad);
    if (shortcut) this.bn(shortcut);
    this.bn(third);
    const { outputShape } = this.#last;
    this.add('Add', `${name}_add`, outputShape, [shortcut ? shortcut.bn : input.name, third.bn]);
    this.add('Activation', output, outputShape);
  }

  #layer(name: string): Layer {
    const layer = this.layers.find((candidate) => candidate.name === name);
    if (!layer) throw new Error(`layerTable: there is no layer ${name} yet.`);
    return layer;
  }
}

function variable(name: string, shape: readonly number[]): LayerVariable {
  return { name, shape, statistic: false };
}
