// A convolution with the batch-norm behind it, and the residual add and ReLU behind that: the network is made of these.
import {
  batchNormSync,
  batchNormTrain,
  conv2d,
  layer,
  scaleShift,
  type BatchNormSync,
  type Padding,
  type ScaleShiftOptions,
} from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { ConvSpec } from '../resnet50/index.ts';
import { foldBatchNorm, scaleAndShift, type Values } from './fold.ts';
import type { VariableStore } from './variable-store.ts';

/** Keras's default. */
export const MOMENTUM = 0.99;

/** What a convolution reads in place of a filter that trains: in mixed precision, its copy in float16 of this step. */
export type FilterOf = (filter: tf.Tensor4D) => tf.Tensor4D;

export interface UnitOptions {
  relu: boolean;
  residual?: tf.Tensor4D;
  /** Whether batch-norms in mode 'batch' run on the batch's statistics (a training step) or their own (inference). */
  training: boolean;
  filterOf: FilterOf;
  /** Batch-norms in training see the batches of all processes as one. */
  sync?: BatchNormSync | undefined;
}

export interface ConvUnit {
  /** y = relu(batchNorm(conv(x)) + residual). The caller owns the result, and tidies what the tape does not keep. */
  run(x: tf.Tensor4D, options: UnitOptions): tf.Tensor4D;
  dispose(): void;
}

export interface UnitContext {
  values: Values;
  convBias: boolean;
  epsilon: number;
  /** Of float16, in mixed precision; the same tensor otherwise. */
  stored: <T extends tf.Tensor>(x: T) => T;
}

function geometry(spec: ConvSpec): { strides: [number, number]; pad: Padding } {
  const { stride, pad } = spec;
  return {
    strides: [stride, stride],
    pad: [
      [pad, pad],
      [pad, pad],
    ],
  };
}

/** Everything frozen, moving statistics: one convolution with its batch-norm folded in. */
export class FoldedUnit implements ConvUnit {
  readonly #geometry: { strides: [number, number]; pad: Padding };
  readonly #filter: tf.Tensor4D;
  readonly #bias: tf.Tensor1D;

  constructor(
    private readonly spec: ConvSpec,
    { values, convBias, epsilon, stored }: UnitContext,
  ) {
    const { filter, bias } = foldBatchNorm(spec, values, convBias, epsilon);
    this.#geometry = geometry(spec);
    this.#filter = constant<tf.Rank.R4>(filter, [spec.size, spec.size, spec.inChannels, spec.outChannels], stored);
    this.#bias = constant<tf.Rank.R1>(bias, [spec.outChannels]);
  }

  run(x: tf.Tensor4D, { relu, residual }: UnitOptions): tf.Tensor4D {
    const options = { ...this.#geometry, bias: this.#bias, relu, ...(residual ? { residual } : {}) };
    return layer(this.spec.conv, () => conv2d(x, this.#filter, options));
  }

  dispose(): void {
    this.#filter.dispose();
    this.#bias.dispose();
  }
}

export interface LiveUnitOptions extends UnitContext {
  trainableConv: boolean;
  trainableBn: boolean;
  /** Whether a training step runs on the batch's statistics and moves the stored ones. */
  batchStatistics: boolean;
  /** Of the moving statistics. */
  momentum: number;
  variables: VariableStore;
}

/** Something trains or moves: filter, bias, gamma and beta are variables where they train, and constants elsewhere. */
export class LiveUnit implements ConvUnit {
  readonly #geometry: { strides: [number, number]; pad: Padding };
  readonly #epsilon: number;
  readonly #batchStatistics: boolean;
  readonly #momentum: number;
  readonly #constants: tf.Tensor[] = [];
  readonly #filter: tf.Tensor4D;
  readonly #bias: tf.Tensor1D | undefined;
  /** Absent where the batch-norm is a constant scale and shift. */
  readonly #norm: { gamma: tf.Tensor1D; beta: tf.Tensor1D; mean: tf.Tensor1D; variance: tf.Tensor1D } | undefined;
  readonly #moving: { mean: tf.Variable<tf.Rank.R1>; variance: tf.Variable<tf.Rank.R1> } | undefined;
  readonly #fixed: { scale: tf.Tensor1D; shift: tf.Tensor1D } | undefined;

  constructor(
    private readonly spec: ConvSpec,
    options: LiveUnitOptions,
  ) {
    const { values, convBias, epsilon, stored, trainableConv, trainableBn, batchStatistics, variables } = options;
    this.#geometry = geometry(spec);
    this.#epsilon = epsilon;
    this.#batchStatistics = batchStatistics;
    this.#momentum = options.momentum;
    const { size, inChannels, outChannels } = spec;
    const filterShape: tf.ShapeMap[tf.Rank.R4] = [size, size, inChannels, outChannels];
    const place = <R extends tf.Rank>(name: string, shape: tf.ShapeMap[R], trains: boolean): tf.Tensor<R> =>
      trains ? variables.add<R>(name, values(name), shape, true) : this.#keep(constant<R>(values(name), shape));
    const channels: [number] = [outChannels];

    const kernel = `${spec.conv}/kernel`;
    this.#filter = trainableConv
      ? variables.add<tf.Rank.R4>(kernel, values(kernel), filterShape, true)
      : this.#keep(constant<tf.Rank.R4>(values(kernel), filterShape, stored));
    this.#bias = convBias ? place<tf.Rank.R1>(`${spec.conv}/bias`, channels, trainableConv) : undefined;
    if (!trainableBn && !batchStatistics) {
      const { scale, shift } = scaleAndShift(spec, values, false, epsilon);
      this.#fixed = {
        scale: this.#keep(constant<tf.Rank.R1>(Float32Array.from(scale), channels)),
        shift: this.#keep(constant<tf.Rank.R1>(Float32Array.from(shift), channels)),
      };
      return;
    }
    const gamma = place<tf.Rank.R1>(`${spec.bn}/gamma`, channels, trainableBn);
    const beta = place<tf.Rank.R1>(`${spec.bn}/beta`, channels, trainableBn);
    const names = { mean: `${spec.bn}/moving_mean`, variance: `${spec.bn}/moving_variance` };
    if (batchStatistics) {
      const mean = variables.add<tf.Rank.R1>(names.mean, values(names.mean), channels, false);
      const variance = variables.add<tf.Rank.R1>(names.variance, values(names.variance), channels, false);
      this.#moving = { mean, variance };
      this.#norm = { gamma, beta, mean, variance };
    } else {
      const mean = place<tf.Rank.R1>(names.mean, channels, false);
      this.#norm = { gamma, beta, mean, variance: place<tf.Rank.R1>(names.variance, channels, false) };
    }
  }

  run(x: tf.Tensor4D, { relu, residual, training, filterOf, sync }: UnitOptions): tf.Tensor4D {
    const options = { ...this.#geometry, ...(this.#bias ? { bias: this.#bias } : {}) };
    const convolved = layer(this.spec.conv, () => conv2d(x, filterOf(this.#filter), options));
    const epilogue = { relu, ...(residual ? { residual } : {}) };
    return layer(this.spec.bn, () => this.#normalise(convolved, epilogue, training, sync));
  }

  #normalise(
    convolved: tf.Tensor4D,
    epilogue: ScaleShiftOptions,
    training: boolean,
    sync: BatchNormSync | undefined,
  ): tf.Tensor4D {
    if (this.#fixed) return scaleShift(convolved, this.#fixed.scale, this.#fixed.shift, epilogue);
    if (!this.#norm) throw new Error('LiveUnit: neither constants nor variables for its batch-norm.');
    const { gamma, beta, mean, variance } = this.#norm;
    if (training && this.#batchStatistics && this.#moving) {
      const moving = { ...this.#moving, momentum: this.#momentum };
      const options = { epsilon: this.#epsilon, moving, ...epilogue };
      if (sync) return batchNormSync(convolved, gamma, beta, options, sync);
      return batchNormTrain(convolved, gamma, beta, options).y;
    }
    const scale: tf.Tensor1D = tf.mul(gamma, tf.rsqrt(tf.add(variance, this.#epsilon)));
    const shift: tf.Tensor1D = tf.sub(beta, tf.mul(mean, scale));
    return scaleShift(convolved, scale, shift, epilogue);
  }

  /** Disposes its constants; its variables are the store's. */
  dispose(): void {
    for (const tensor of this.#constants) tensor.dispose();
  }

  #keep<R extends tf.Rank>(tensor: tf.Tensor<R>): tf.Tensor<R> {
    this.#constants.push(tensor);
    return tensor;
  }
}

function constant<R extends tf.Rank>(
  data: Float32Array,
  shape: tf.ShapeMap[R],
  stored: UnitContext['stored'] = (x) => x,
): tf.Tensor<R> {
  return tf.keep(tf.tidy(() => stored(tf.tensor<R>(data, shape, 'float32'))));
}
