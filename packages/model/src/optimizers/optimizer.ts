// Adam and SGD over variables by name. State and step count are kept per variable, so thawing more of the network adds
// entries and never shifts them, and a variable's first update is that of a fresh optimizer.
import { adamStep, sgdStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';

export type OptimizerConfig =
  | { readonly kind: 'adam'; readonly learningRate: number; readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number; readonly weightDecay?: number } // prettier-ignore
  | { readonly kind: 'sgd'; readonly learningRate: number; readonly momentum?: number; readonly nesterov?: boolean; readonly weightDecay?: number }; // prettier-ignore

interface Slot {
  step: number;
  readonly tensors: Map<string, tf.Tensor>;
}

/** State to save: tensors named `<variable>/<slot>`, and the number of updates of each variable. */
export interface OptimizerState {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
  readonly steps: Readonly<Record<string, number>>;
}

export class Optimizer {
  learningRate: number;
  readonly #config: OptimizerConfig;
  readonly #slots = new Map<string, Slot>();

  constructor(config: OptimizerConfig) {
    if (!(config.learningRate > 0))
      throw new Error(`optimizer: the learning rate must be above 0, got ${config.learningRate}.`);
    this.#config = config;
    this.learningRate = config.learningRate;
  }

  /** One update of `variable`, known by `name`. */
  update(name: string, variable: tf.Variable, gradient: tf.Tensor): void {
    const slot = this.#slots.get(name) ?? { step: 0, tensors: new Map<string, tf.Tensor>() };
    this.#slots.set(name, slot);
    slot.step++;
    const next = this.#step(variable, gradient, slot);
    for (const [id, tensor] of Object.entries(next)) {
      if (id === 'value') continue;
      slot.tensors.get(id)?.dispose();
      slot.tensors.set(id, tf.keep(tensor));
    }
    variable.assign(next['value'] ?? variable);
    next['value']?.dispose();
  }

  #step(value: tf.Variable, gradient: tf.Tensor, slot: Slot): Record<string, tf.Tensor> {
    const config = this.#config;
    const { learningRate } = this;
    const weightDecay = config.weightDecay ?? 0;
    const state = (id: string): tf.Tensor => {
      let tensor = slot.tensors.get(id);
      if (!tensor) slot.tensors.set(id, (tensor = tf.keep(tf.zeros(value.shape))));
      return tensor;
    };
    switch (config.kind) {
      case 'adam': {
        const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = config;
        const options = { learningRate, beta1, beta2, epsilon, weightDecay, step: slot.step };
        return { ...adamStep({ value, gradient, m: state('m'), v: state('v') }, options) };
      }
      case 'sgd': {
        const { momentum = 0, nesterov = false } = config;
        const velocity = momentum === 0 ? {} : { velocity: state('velocity') };
        return { ...sgdStep({ value, gradient, ...velocity }, { learningRate, momentum, nesterov, weightDecay }) };
      }
      default:
        throw new Error(`unknown optimizer ${String(config satisfies never)}`);
    }
  }

  async state(): Promise<OptimizerState> {
    const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
    const steps: Record<string, number> = {};
    for (const [name, slot] of this.#slots) {
      steps[name] = slot.step;
      for (const [id, tensor] of slot.tensors)
        tensors.set(`${name}/${id}`, { shape: tensor.shape, data: Float32Array.from(await tensor.data<'float32'>()) });
    }
    return { tensors, steps };
  }

  restore({ tensors, steps }: OptimizerState): void {
    this.dispose();
    for (const [name, step] of Object.entries(steps)) this.#slots.set(name, { step, tensors: new Map() });
    for (const [key, { shape, data }] of tensors) {
      const cut = key.lastIndexOf('/');
      this.#slots
        .get(key.slice(0, cut))
        ?.tensors.set(key.slice(cut + 1), tf.keep(tf.tensor(data, [...shape], 'float32')));
    }
  }

  dispose(): void {
    for (const { tensors } of this.#slots.values()) for (const tensor of tensors.values()) tensor.dispose();
    this.#slots.clear();
  }
}
