// The place on the device that batches are written to, one after the other.
import { assignValues } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';

export class BatchInput {
  readonly #variable: tf.Variable;

  constructor(shape: readonly number[]) {
    const initial = tf.zeros([...shape]);
    this.#variable = tf.variable(initial, false);
    initial.dispose();
  }

  get tensor(): tf.Tensor {
    return this.#variable;
  }

  set(values: Float32Array): void {
    assignValues(this.#variable, values);
  }

  dispose(): void {
    this.#variable.dispose();
  }
}
