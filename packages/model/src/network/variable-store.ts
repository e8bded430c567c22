// The tf.Variables of a network by their Keras names. tfjs wants names unique in the whole program, so inside they carry
// a number as well, and two networks can live side by side.
import { assignValues } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { WeightsError, type WeightTensor } from '../weights/index.ts';

export class VariableStore {
  readonly #variables = new Map<string, tf.Variable>();

  /** Every variable: what trains, and the moving statistics that move. */
  get all(): ReadonlyMap<string, tf.Variable> {
    return this.#variables;
  }

  add<R extends tf.Rank>(name: string, data: Float32Array, shape: tf.ShapeMap[R], trainable: boolean): tf.Variable<R> {
    const initial = tf.tensor<R>(data, shape, 'float32');
    const variable = tf.variable(initial, trainable, uniqueName(name));
    initial.dispose();
    this.#variables.set(name, variable);
    return variable;
  }

  /** @throws WeightsError for a missing, misshapen or unknown name; nothing is assigned then */
  restore(values: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void {
    for (const [name, { shape }] of this.#variables) {
      const value = values.get(name);
      if (!value) throw new WeightsError(`restore: '${name}' of shape [${shape.join(', ')}] is missing.`);
      if (value.shape.length !== shape.length || value.shape.some((size, axis) => size !== shape[axis])) {
        throw new WeightsError(
          `restore: '${name}' has shape [${value.shape.join(', ')}], but the network needs [${shape.join(', ')}].`,
        );
      }
    }
    for (const name of values.keys()) {
      if (!this.#variables.has(name)) {
        throw new WeightsError(`restore: '${name}' is no variable of this network; were other layers trainable?`);
      }
    }
    for (const [name, variable] of this.#variables) {
      const value = values.get(name);
      if (value) assignValues(variable, value.data);
    }
  }

  /** Reads the values back. */
  async read(): Promise<Map<string, WeightTensor>> {
    const read = [...this.#variables].map(async ([name, variable]): Promise<[string, WeightTensor]> => {
      // A copy: a backend may hand out its own buffer.
      const data = Float32Array.from(await variable.data<'float32'>());
      return [name, { shape: [...variable.shape], data }];
    });
    return new Map(await Promise.all(read));
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }
}

function uniqueName(name: string): string {
  const taken = tf.engine().state.registeredVariables;
  let number = 1;
  while (`${name}#${number}` in taken) number++;
  return `${name}#${number}`;
}
