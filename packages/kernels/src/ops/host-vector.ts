// A few numbers that the host sets between steps and the device reads within them: learning rates, the seed of dropout.
import * as tf from '@tensorflow/tfjs-core';
import { assignValues } from './assign-values.ts';

/** A few numbers that the host sets before a step and the device reads: rates, seeds. A captured step finds the new ones. */
export class HostVector {
  readonly #variable: tf.Variable<tf.Rank.R1>;
  #values: readonly number[];

  constructor(
    values: readonly number[],
    /** Of the tensor. */
    readonly dtype: 'float32' | 'int32',
  ) {
    this.#values = values;
    const initial = tf.tensor1d([...values], dtype);
    this.#variable = tf.variable(initial, false);
    initial.dispose();
  }

  /** [values.length]; the same tensor all the time. */
  get tensor(): tf.Tensor1D {
    return this.#variable;
  }

  /** What was set last. */
  get values(): readonly number[] {
    return this.#values;
  }

  /** Takes effect on what runs after it. */
  set(values: readonly number[]): void {
    this.#values = values;
    assignValues(this.#variable, this.dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values));
  }

  /** Frees the tensor. */
  dispose(): void {
    this.#variable.dispose();
  }
}
