// The head that replaces the ImageNet top: dense layers with ReLU, dropout before each, and the classes' logits.
// Kernels start Glorot-uniform, biases zero, as Keras's Dense.
import { dense, dropout, HostVector, layer } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { VariableStore } from '../network/variable-store.ts';
import { uniformNumbers } from '../weights/random.ts';

/** 'article' is Dense 32, 16, 8; 'linear' none; a list gives the widths of the hidden layers. */
export type HeadSpec = 'article' | 'linear' | readonly number[];

/** What a head is like. */
export interface HeadOptions {
  /** Its hidden layers. */
  readonly spec: HeadSpec;
  /** Outputs, at least 2. */
  readonly classes: number;
  /** Length of a feature vector. */
  readonly inputs: number;
  /** Seed of the kernels and of dropout. */
  readonly seed: number;
  /** Share of a hidden layer's outputs that a training step zeroes; default 0. */
  readonly dropout?: number;
  /** Weight of the sum of squared kernels in the loss; default 0. */
  readonly l2?: number;
}

/** @throws when `text` is neither article, linear nor widths such as 128,64 */
export function parseHeadSpec(text: string): HeadSpec {
  if (text === 'article' || text === 'linear') return text;
  const widths = text.split(',').map(Number);
  if (widths.every((width) => Number.isInteger(width) && width > 0)) return widths;
  throw new Error(`head '${text}' is not known; valid are article, linear, or widths such as 128,64.`);
}

const hiddenWidths = (spec: HeadSpec): readonly number[] =>
  spec === 'article' ? [32, 16, 8] : spec === 'linear' ? [] : spec;

interface DenseLayer {
  readonly kernel: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
}

/** Dense layers with ReLU in front of the classes' logits. */
export class Head {
  /** Its hidden layers. */
  readonly spec: HeadSpec;
  /** Outputs. */
  readonly classes: number;
  /** Length of a feature vector. */
  readonly inputs: number;
  readonly #store = new VariableStore();
  readonly #layers: readonly DenseLayer[];
  readonly #dropout: number;
  readonly #l2: number;
  readonly #seed: number;
  /** What the masks of a step follow from. */
  readonly #maskSeed: HostVector | undefined;

  constructor({ spec, classes, inputs, seed, dropout = 0, l2 = 0 }: HeadOptions) {
    if (classes < 2) throw new Error(`head: a classifier needs at least 2 classes, got ${classes}.`);
    if (!(dropout >= 0 && dropout < 1)) throw new Error(`head: dropout must be in [0, 1), got ${dropout}.`);
    this.spec = spec;
    this.classes = classes;
    this.inputs = inputs;
    this.#dropout = dropout;
    this.#l2 = l2;
    this.#seed = seed;
    this.#maskSeed = dropout > 0 ? new HostVector([seed], 'int32') : undefined;
    const uniform = uniformNumbers(seed);
    const widths = [inputs, ...hiddenWidths(spec), classes];
    this.#layers = widths.slice(1).map((width, i) => {
      const fanIn = widths[i] ?? inputs;
      const limit = Math.sqrt(6 / (fanIn + width));
      const kernel = Float32Array.from({ length: fanIn * width }, () => limit * (2 * uniform() - 1));
      return {
        kernel: this.#store.add<tf.Rank.R2>(`head/dense_${i}/kernel`, kernel, [fanIn, width], true),
        bias: this.#store.add<tf.Rank.R1>(`head/dense_${i}/bias`, new Float32Array(width), [width], true),
      };
    });
  }

  /** Variables by name. */
  get variables(): ReadonlyMap<string, tf.Variable> {
    return this.#store.all;
  }

  /** Tells dropout the number of the step in the run, before the step. */
  setStep(step: number): void {
    this.#maskSeed?.set([(Math.imul(this.#seed, 0x9e3779b1) + step) | 0]);
  }

  /** @param features [batch, inputs]; @returns [batch, classes] */
  logits(features: tf.Tensor2D, { training }: { training: boolean }): tf.Tensor2D {
    return this.#layers.reduce((x, { kernel, bias }, i) => {
      const last = i === this.#layers.length - 1;
      return layer(`head/dense_${i}`, () => {
        const input = training && this.#maskSeed ? dropout(x, { rate: this.#dropout, salt: i }, this.#maskSeed) : x;
        return dense(input, kernel, bias, { relu: !last });
      });
    }, features);
  }

  /** The L2 term of the loss, or undefined without one. */
  penalty(): tf.Scalar | undefined {
    if (this.#l2 === 0) return undefined;
    const squares = this.#layers.map(({ kernel }): tf.Scalar => tf.sum(tf.square(kernel)));
    return tf.mul<tf.Scalar>(tf.addN<tf.Scalar>(squares), this.#l2);
  }

  /** Puts back values of its variables. @throws WeightsError on a missing, misshapen or unknown name */
  restore(values: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void {
    this.#store.restore(values);
  }

  /** Frees its variables. */
  dispose(): void {
    this.#maskSeed?.dispose();
    this.#store.dispose();
  }
}

/** Makes a head on the current backend. @throws for fewer than 2 classes, or a dropout outside [0, 1) */
export const createHead = (options: HeadOptions): Head => new Head(options);
