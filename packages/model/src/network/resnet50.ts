// ResNet-50 on the current TensorFlow.js backend, cut in two: below the block of the lowest layer that trains everything is
// constant and folded (`frozenPart`, never on a tape); from that block on, layers are variables where they train
// (`trainablePart`). Cutting between blocks means that one tensor passes from part to part.
import { dense, globalAveragePool, toFloat16, type BatchNormSync } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { batchNormMode, type BatchNormPolicy } from '../freeze/index.ts';
import {
  describeTrunk,
  layerTable,
  RESNET50,
  VARIANTS,
  type Architecture,
  type ConvSpec,
  type Layer,
  type Variant,
} from '../resnet50/index.ts';
import { WeightsError, type TrunkWeights, type WeightTensor } from '../weights/index.ts';
import { FoldedUnit, LiveUnit, MOMENTUM, type ConvUnit } from './conv-unit.ts';
import { hashOf } from './hash.ts';
import { makeSegments, runAll, segmentSpecs, type Segment } from './segments.ts';
import { checkPrecision, type Precision } from './precision.ts';
import { VariableStore } from './variable-store.ts';

/** Which layers train, and how. */
export interface ResNet50Options {
  /** Names of the layers that train, as resolveFreeze gives them; default none. */
  trainable?: ReadonlySet<string>;
  /** Default keras. */
  batchNorm?: BatchNormPolicy;
  /** Share of themselves that the moving statistics keep in a training step; default 0.99, as Keras's. */
  batchNormMomentum?: number;
  /** Height and width of the images, for `table` and `frozenOutput`; any size runs. */
  imageSize: number;
  /** Default that of the weights; tests build tiny ones of the same blocks. */
  architecture?: Architecture;
  /**
   * Default float32. In mixed, images, activations and the filters that convolutions read are stored in float16; sums,
   * batch-norms, variables and what comes after the trunk stay float32.
   */
  precision?: Precision;
}

/** How the trainable part runs. */
export interface PartOptions {
  /** A training step: batch-norms in mode 'batch' use the batch's statistics. Default true. */
  training?: boolean;
  /** In a training step, the batches of all processes are one to these batch-norms. Default: each process's is its own. */
  sync?: BatchNormSync | undefined;
}

/** ResNet-50 without its classifier, on the current TensorFlow.js backend, partly or wholly frozen. */
export class ResNet50 {
  /** Of its weights. */
  readonly variant: Variant;
  /** Widths and depths; RESNET50 but in tests. */
  readonly architecture: Architecture;
  /** Keras's layer list, without top. */
  readonly table: readonly Layer[];
  /** Where the parts meet: the layer whose output frozenPart gives, and its shape without the batch. */
  readonly frozenOutput: {
    /** Its name. */
    readonly layer: string;
    /** [height, width, channels] */
    readonly shape: readonly number[];
  };
  /** Channels of the trunk's output, and of `features`. */
  readonly channels: number;
  /** In which the trunk stores and computes. */
  readonly precision: Precision;
  readonly #weights: TrunkWeights;
  readonly #store = new VariableStore();
  readonly #frozen: Segment[];
  readonly #trainable: Segment[];
  #top: { kernel: tf.Tensor2D; bias: tf.Tensor1D } | undefined;

  /**
   * @throws WeightsError when the weights lack a variable; Error when `trainable` names a layer that is not there, and for
   * mixed precision on a backend or device that has no float16
   */
  constructor(weights: TrunkWeights, options: ResNet50Options) {
    const { trainable = new Set<string>(), batchNorm = 'keras', imageSize } = options;
    const { architecture = weights.architecture ?? RESNET50 } = options;
    const { batchNormMomentum: momentum = MOMENTUM } = options;
    if (!(momentum >= 0 && momentum < 1))
      throw new Error(`ResNet50: the momentum of batch-norm's statistics must be in [0, 1), got ${momentum}.`);
    this.precision = options.precision ?? 'float32';
    checkPrecision(this.precision);
    this.#weights = weights;
    this.variant = VARIANTS[weights.variant];
    this.architecture = architecture;
    this.table = layerTable(this.variant, { imageSize, architecture });
    checkNames(trainable, this.table);
    const trunk = describeTrunk(this.variant, architecture);
    this.channels = trunk.channels;

    // A segment is constant if nothing in it trains or runs on the batch's statistics; the frozen part is those before
    // the first that is not.
    const isLive = ({ conv, bn }: ConvSpec): boolean =>
      trainable.has(conv) || trainable.has(bn) || batchNormMode(batchNorm, trainable.has(bn)) === 'batch';
    const makeUnit = (spec: ConvSpec): ConvUnit => {
      const context = {
        values: (name: string) => this.#values(name),
        ...this.variant,
        stored: <T extends tf.Tensor>(x: T) => this.#stored(x),
      };
      if (!isLive(spec)) return new FoldedUnit(spec, context);
      return new LiveUnit(spec, {
        ...context,
        trainableConv: trainable.has(spec.conv),
        trainableBn: trainable.has(spec.bn),
        batchStatistics: batchNormMode(batchNorm, trainable.has(spec.bn)) === 'batch',
        momentum,
        variables: this.#store,
      });
    };
    const live = segmentSpecs(trunk).map((specs) => specs.some(isLive));
    const segments = makeSegments(trunk, makeUnit);
    const firstLive = live.includes(true) ? live.indexOf(true) : segments.length;
    this.#frozen = segments.slice(0, firstLive);
    this.#trainable = segments.slice(firstLive);
    const layer = this.#frozen.at(-1)?.output ?? 'input_1';
    this.frozenOutput = { layer, shape: this.table.find(({ name }) => name === layer)?.outputShape ?? [] };
  }

  /** Whether the whole trunk is constant, so that its output may be computed once per image and kept. */
  get isFrozen(): boolean {
    return this.#trainable.length === 0;
  }

  /** Every tf.Variable by its Keras name: what trains, and the moving statistics that move. */
  get variables(): ReadonlyMap<string, tf.Variable> {
    return this.#store.all;
  }

  /** The variables that the optimizer changes, by Keras name, lowest layer first. */
  get trainables(): ReadonlyMap<string, tf.Variable> {
    return new Map([...this.#store.all].filter(([, variable]) => variable.trainable));
  }

  /**
   * Images to the input of the trainable part: inference with folded batch-norm. Call it outside the taped function.
   *
   * @param x [batch, height, width, 3], preprocessed as `variant.preprocessing` says
   * @returns a new tensor [batch, ...frozenOutput.shape], the caller's to dispose
   */
  frozenPart(x: tf.Tensor4D): tf.Tensor4D {
    if (x.rank !== 4 || x.shape[3] !== 3) {
      throw new Error(`ResNet50: images must be [batch, height, width, 3], got [${x.shape.join(', ')}].`);
    }
    return tf.tidy(() => runAll(this.#frozen, this.#stored(x), { training: false, release: true, filterOf: (f) => f }));
  }

  /**
   * The rest of the trunk. In training, the moving statistics of batch-norms in mode 'batch' follow the batch's.
   *
   * @param h what frozenPart gave
   * @returns a new tensor [batch, height, width, channels]
   */
  trainablePart(h: tf.Tensor4D, { training = true, sync }: PartOptions = {}): tf.Tensor4D {
    return tf.tidy(() => {
      const halves = this.#halfFilters();
      const filterOf = (filter: tf.Tensor4D): tf.Tensor4D => halves.get(filter) ?? filter;
      return runAll(this.#trainable, this.#stored(h), { training, release: !training, filterOf, sync });
    });
  }

  /**
   * Of the filters that train, what convolutions read in mixed precision. All at once, as a captured step makes one dispatch
   * of neighbours.
   */
  #halfFilters(): ReadonlyMap<tf.Tensor, tf.Tensor4D> {
    if (this.precision === 'float32') return new Map();
    const filters = [...this.trainables.values()].filter((variable) => variable.rank === 4);
    return new Map(filters.map((filter) => [filter, toFloat16(filter) as tf.Tensor4D]));
  }

  /** The tensor as the trunk stores activations and filters. */
  #stored<T extends tf.Tensor>(x: T): T {
    return this.precision === 'mixed' ? toFloat16(x) : x;
  }

  /** Inference through the whole trunk. @returns [batch, height, width, channels] */
  trunk(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const h = this.frozenPart(x);
      const y = this.trainablePart(h, { training: false });
      h.dispose();
      return y;
    });
  }

  /** The map that leaves each block, the stem's first. */
  get maps(): readonly {
    /** Its last layer. */
    readonly layer: string;
    /** [height, width, channels] */
    readonly shape: readonly number[];
  }[] {
    return [...this.#frozen, ...this.#trainable].map(({ output }) => ({
      layer: output,
      shape: this.table.find(({ name }) => name === output)?.outputShape ?? [],
    }));
  }

  /**
   * Inference as far as the end of a block.
   *
   * @param x [batch, height, width, 3], preprocessed as `variant.preprocessing` says
   * @param layer one of `maps`
   * @returns a new tensor [batch, ...shape of that map]
   */
  mapOf(x: tf.Tensor4D, layer: string): tf.Tensor4D {
    const { below } = this.#cutAfter(layer);
    return tf.tidy(() => this.#infer(below, this.#stored(x), true));
  }

  /** Inference from the end of a block on; may be on a tape. @param h what mapOf gave; @returns [batch, height, width, channels] */
  trunkFrom(h: tf.Tensor4D, layer: string): tf.Tensor4D {
    const { above } = this.#cutAfter(layer);
    return tf.tidy(() => this.#infer(above, this.#stored(h), false));
  }

  #cutAfter(layer: string): { below: Segment[]; above: Segment[] } {
    const segments = [...this.#frozen, ...this.#trainable];
    const at = segments.findIndex(({ output }) => output === layer) + 1;
    if (at === 0)
      throw new Error(
        `ResNet50: no block ends in '${layer}'; those that do end in ${this.maps.map((map) => map.layer).join(', ')}.`,
      );
    return { below: segments.slice(0, at), above: segments.slice(at) };
  }

  #infer(segments: readonly Segment[], h: tf.Tensor4D, release: boolean): tf.Tensor4D {
    const halves = this.#halfFilters();
    return runAll(segments, h, { training: false, release, filterOf: (filter) => halves.get(filter) ?? filter });
  }

  /** Inference: the trunk's output averaged over the image. @returns [batch, channels] */
  features(x: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => globalAveragePool(this.trunk(x)));
  }

  /** Inference with the ImageNet top. @returns [batch, topClasses]; @throws when the weights have no top */
  logits(x: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => this.topLogits(this.features(x)));
  }

  /** The ImageNet top alone, on what `features` gives. @returns [batch, topClasses]; @throws when the weights have no top */
  topLogits(features: tf.Tensor2D): tf.Tensor2D {
    if (!this.#weights.includeTop) {
      throw new Error('ResNet50: these weights have no top; load a file with one to classify into ImageNet’s classes.');
    }
    this.#top ??= {
      kernel: tf.keep(tf.tensor2d(this.#values('predictions/kernel'), [this.channels, this.#weights.topClasses])),
      bias: tf.keep(tf.tensor1d(this.#values('predictions/bias'))),
    };
    const { kernel, bias } = this.#top;
    return dense(features, kernel, bias);
  }

  /** Inference: probabilities of the ImageNet top's classes. @returns [batch, topClasses] */
  predict(x: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => tf.softmax(this.logits(x)));
  }

  /** The tensors that training changes, by Keras name: a checkpoint needs these and the name of the weights. */
  state(): ReadonlyMap<string, tf.Tensor> {
    return this.#store.all;
  }

  /** Puts back what `state` held. @throws WeightsError when a name is missing, misshapen or unknown */
  restore(values: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void {
    this.#store.restore(values);
  }

  /** All weights as they are now, to save, or to build a network with other layers trainable; the hash follows them. */
  async exportWeights(): Promise<TrunkWeights> {
    const changed = await this.#store.read();
    const tensors = new Map<string, WeightTensor>(this.#weights.tensors);
    for (const [name, tensor] of changed) tensors.set(name, tensor);
    const hash = changed.size === 0 ? this.#weights.hash : await hashOf(this.#weights.hash, changed);
    return { ...this.#weights, tensors, hash };
  }

  /** Frees all of its tensors. */
  dispose(): void {
    for (const segment of [...this.#frozen, ...this.#trainable]) segment.dispose();
    this.#store.dispose();
    this.#top?.kernel.dispose();
    this.#top?.bias.dispose();
    this.#top = undefined;
  }

  #values(name: string): Float32Array {
    const tensor = this.#weights.tensors.get(name);
    if (!tensor) throw new WeightsError(`ResNet50: the weights have no '${name}'.`);
    return tensor.data;
  }
}

function checkNames(trainable: ReadonlySet<string>, table: readonly Layer[]): void {
  const names = new Set(table.map(({ name }) => name));
  const unknown = [...trainable].filter((name) => !names.has(name));
  if (unknown.length > 0) {
    throw new Error(
      `ResNet50: the trunk has no layer ${unknown.map((name) => `'${name}'`).join(', ')}; resolve the freeze spec on its table without top.`,
    );
  }
}
