// An exponential moving average of the weights, on the device: what is evaluated and kept as best instead of the weights of
// the last step (Polyak and Juditsky 1992; the rate in the first steps as TensorFlow's ExponentialMovingAverage has it).
import { HostVector, movingAverageStep, swapValues } from '@thaw/kernels';
import type * as tf from '@tensorflow/tfjs-core';
import { VariableStore } from '../network/variable-store.ts';
import type { NamedTensors } from '../training/types.ts';

/** How much of itself an average keeps in a step: min(decay, (1 + step) / (10 + step)). @param step from 0 */
export const keptShare = (decay: number, step: number): number => Math.min(decay, (1 + step) / (10 + step));

/** Moving averages of a classifier's variables. */
export class WeightAverage {
  readonly #decay: number;
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #averages = new VariableStore();
  readonly #rates = new HostVector([0], 'float32');

  /** Starts at the variables' values. @param decay in (0, 1) */
  static async of(variables: ReadonlyMap<string, tf.Variable>, decay: number): Promise<WeightAverage> {
    if (!(decay > 0 && decay < 1)) throw new Error(`weight average: the decay must be between 0 and 1, got ${decay}.`);
    const average = new WeightAverage(variables, decay);
    for (const [name, variable] of variables)
      average.#averages.add(name, Float32Array.from(await variable.data<'float32'>()), variable.shape, false);
    return average;
  }

  private constructor(variables: ReadonlyMap<string, tf.Variable>, decay: number) {
    this.#variables = variables;
    this.#decay = decay;
  }

  /** Tells the device the rate of a step, before it runs. @param step number of the step in the run, from 0 */
  beginStep(step: number): void {
    this.#rates.set([1 - keptShare(this.#decay, step)]);
  }

  /** One step of the average of a variable, after the optimizer has changed it. */
  update(name: string): void {
    const [variable, average] = [this.#variables.get(name), this.#averages.all.get(name)];
    if (!variable || !average) throw new Error(`weight average: there is no variable '${name}'.`);
    movingAverageStep(average, variable, this.#rates.tensor);
  }

  /** Exchanges weights and averages: the network is the averaged one until the next exchange. */
  swap(): void {
    for (const [name, variable] of this.#variables) {
      const average = this.#averages.all.get(name);
      if (average) swapValues(variable, average);
    }
  }

  /** Reads the averages, by the names of their variables. */
  state(): Promise<NamedTensors> {
    return this.#averages.read();
  }

  /** Puts back what `state` gave. @throws WeightsError on a missing, misshapen or unknown name */
  restore(state: NamedTensors): void {
    this.#averages.restore(state);
  }

  /** Frees the averages; the variables stay. */
  dispose(): void {
    this.#rates.dispose();
    this.#averages.dispose();
  }
}
