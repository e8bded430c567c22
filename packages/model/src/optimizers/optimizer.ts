// Adam and SGD over variables by name. State and number of updates are kept per variable, so thawing more of the network adds
// entries and never shifts them, and a variable's first update is that of a fresh optimizer. Groups of variables may learn at
// rates of their own.
import { adamRates, adamScaledRates, adamStep, HostVector, sgdStep, type LossScale, type LossScaleState } from '@thaw/kernels'; // prettier-ignore
import * as tf from '@tensorflow/tfjs-core';
import { makeLossScale, type LossScaling } from './loss-scaling.ts';
import type { GroupOf } from './rate-groups.ts';

/** Adam, after Kingma and Ba, with decoupled weight decay (AdamW). */
export interface AdamConfig {
  /** Which optimizer. */
  readonly kind: 'adam';
  /** Above 0. */
  readonly learningRate: number;
  /** Share of itself that the first moment keeps; default 0.9. */
  readonly beta1?: number;
  /** Share of itself that the second moment keeps; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; default 1e-7. */
  readonly epsilon?: number;
  /** A step takes learningRate times this off every value; default 0. */
  readonly weightDecay?: number;
}

/** Gradient descent, in PyTorch's form. */
export interface SgdConfig {
  /** Which optimizer. */
  readonly kind: 'sgd';
  /** Above 0. */
  readonly learningRate: number;
  /** Share of itself that the velocity keeps; default 0, none. */
  readonly momentum?: number;
  /** Nesterov's momentum; default false. */
  readonly nesterov?: boolean;
  /** Times the value, added to the gradient; default 0. */
  readonly weightDecay?: number;
}

/** Which optimizer, and its rates. */
export type OptimizerConfig = AdamConfig | SgdConfig;

/** Variables of one group that have had the same number of updates, and so have the same rates. */
interface Cohort {
  step: number;
  readonly multiplier: number;
  readonly weightDecay: number;
  rates: HostVector | undefined;
}

interface Slot {
  readonly cohort: Cohort;
  readonly tensors: Map<string, tf.Tensor>;
}

/** State to save: tensors named `<variable>/<slot>`, and the number of updates of each variable. */
export interface OptimizerState {
  /** Moments or velocities. */
  readonly tensors: ReadonlyMap<
    string,
    {
      /** Of the variable. */
      readonly shape: readonly number[];
      /** Its values. */
      readonly data: Float32Array;
    }
  >;
  /** Updates of each variable so far. */
  readonly steps: Readonly<Record<string, number>>;
  /** Where gradients are scaled; `skipped` counts all of the run. */
  readonly lossScale?: LossScaleState | undefined;
}

/** Adam or SGD over variables by name. */
export class Optimizer {
  /** Of the next step; groups have a multiple of it. */
  learningRate: number;
  readonly #config: OptimizerConfig;
  readonly #groupOf: GroupOf;
  readonly #slots = new Map<string, Slot>();
  readonly #lossScaling: LossScaling | undefined;
  #lossScale: LossScale | undefined;
  /** Steps skipped before the loss scale was restored. */
  #skippedBefore = 0;

  /**
   * @param groupOf default: all variables are one group
   * @param lossScaling of the gradients that updates will be given; default: they are not scaled
   */
  constructor(
    config: OptimizerConfig,
    groupOf: GroupOf = () => ({ name: 'all', multiplier: 1, decays: true }),
    lossScaling?: LossScaling,
  ) {
    if (!(config.learningRate > 0))
      throw new Error(`optimizer: the learning rate must be above 0, got ${config.learningRate}.`);
    this.#config = config;
    this.#groupOf = groupOf;
    this.learningRate = config.learningRate;
    this.#lossScaling = lossScaling;
    if (lossScaling !== undefined) this.#lossScale = makeLossScale(lossScaling);
  }

  /** By which the step's gradients are scaled; undefined where they are not. */
  get lossScale(): LossScale | undefined {
    return this.#lossScale;
  }

  /** What the loss scale came to, over the whole run. */
  async lossScaleState(): Promise<LossScaleState | undefined> {
    const state = await this.#lossScale?.read();
    return state && { ...state, skipped: this.#skippedBefore + state.skipped };
  }

  /**
   * Counts a step of these variables and tells the device its rates: call it before the step's updates, and, where the step
   * is captured, before each replay.
   */
  beginStep(names: Iterable<string>): void {
    const cohorts = new Set<Cohort>();
    for (const name of names) cohorts.add(this.#slot(name).cohort);
    for (const cohort of cohorts) {
      cohort.step++;
      const rates = this.#rates(cohort);
      if (cohort.rates) cohort.rates.set(rates);
      else cohort.rates = new HostVector(rates, 'float32');
    }
  }

  /** Makes the state of these variables, so that a step can be captured before it has begun. */
  prepare(variables: ReadonlyMap<string, tf.Variable>): void {
    for (const name of variables.keys()) {
      const { cohort } = this.#slot(name);
      cohort.rates ??= new HostVector(this.#rates({ ...cohort, step: cohort.step + 1 }), 'float32');
    }
  }

  /**
   * The variables with those that share their rates side by side, filters before the rest: a captured step then updates each
   * group at once, or each group's filters where mixed precision converts filters at once.
   */
  inOrder(variables: ReadonlyMap<string, tf.Variable>): [string, tf.Variable][] {
    const cohorts = new Map<Cohort, [string, tf.Variable][]>();
    for (const entry of variables) {
      const { cohort } = this.#slot(entry[0]);
      const members = cohorts.get(cohort);
      if (members) members.push(entry);
      else cohorts.set(cohort, [entry]);
    }
    const isFilter = ([, { rank }]: [string, tf.Variable]): boolean => rank === 4;
    return [...cohorts.values()].flatMap((members) => [
      ...members.filter(isFilter),
      ...members.filter((one) => !isFilter(one)),
    ]);
  }

  /** One update of `variable`, known by `name`. @throws before its first beginStep */
  update(name: string, variable: tf.Variable, gradient: tf.Tensor): void {
    const slot = this.#slots.get(name);
    if (!slot) throw new Error(`optimizer: '${name}' is updated in a step that was not begun with it.`);
    const next = this.#step(variable, gradient, slot);
    for (const [id, tensor] of Object.entries(next)) {
      if (id === 'value') continue;
      slot.tensors.get(id)?.dispose();
      slot.tensors.set(id, tf.keep(tensor));
    }
    variable.assign(next['value'] ?? variable);
    next['value']?.dispose();
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name) ?? { cohort: this.#cohort(name, 0), tensors: new Map<string, tf.Tensor>() };
    this.#slots.set(name, slot);
    return slot;
  }

  #cohort(name: string, step: number): Cohort {
    const { multiplier, decays } = this.#groupOf(name);
    const weightDecay = decays ? (this.#config.weightDecay ?? 0) : 0;
    for (const { cohort } of this.#slots.values())
      if (cohort.step === step && cohort.multiplier === multiplier && cohort.weightDecay === weightDecay) return cohort;
    return { step, multiplier, weightDecay, rates: undefined };
  }

  #rates({ step, multiplier, weightDecay }: Omit<Cohort, 'rates'>): number[] {
    const config = this.#config;
    const learningRate = this.learningRate * multiplier;
    if (config.kind === 'sgd') return [learningRate];
    const { beta1 = 0.9, beta2 = 0.999 } = config;
    const schedule = { learningRate, beta1, beta2, weightDecay, step };
    return this.#lossScale ? adamScaledRates(schedule) : adamRates(schedule);
  }

  #step(value: tf.Variable, gradient: tf.Tensor, { cohort, tensors }: Slot): Record<string, tf.Tensor> {
    const config = this.#config;
    if (!cohort.rates) throw new Error('optimizer: a step was not begun.');
    const rates = cohort.rates.tensor;
    const scaling = this.#lossScale?.scaling;
    const state = (id: string): tf.Tensor => {
      let tensor = tensors.get(id);
      if (!tensor) tensors.set(id, (tensor = tf.keep(tf.zeros(value.shape))));
      return tensor;
    };
    switch (config.kind) {
      case 'adam': {
        const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = config;
        const given = { value, gradient, m: state('m'), v: state('v'), rates, scaling };
        return { ...adamStep(given, { beta1, beta2, epsilon }) };
      }
      case 'sgd': {
        const { momentum = 0, nesterov = false } = config;
        const { weightDecay } = cohort;
        const velocity = momentum === 0 ? {} : { velocity: state('velocity') };
        return { ...sgdStep({ value, gradient, rates, scaling, ...velocity }, { momentum, nesterov, weightDecay }) };
      }
      default:
        throw new Error(`unknown optimizer ${String(config satisfies never)}`);
    }
  }

  /** Reads everything that `restore` needs. */
  async state(): Promise<OptimizerState> {
    const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
    const steps: Record<string, number> = {};
    const lossScale = await this.lossScaleState();
    const skipped = (lossScale?.skipped ?? 0) - this.#skippedBefore;
    for (const [name, slot] of this.#slots) {
      // A skipped step is no update.
      steps[name] = slot.cohort.step - skipped;
      for (const [id, tensor] of slot.tensors)
        tensors.set(`${name}/${id}`, { shape: tensor.shape, data: Float32Array.from(await tensor.data<'float32'>()) });
    }
    return { tensors, steps, lossScale };
  }

  /** Puts back what `state` gave, in place of what there is. */
  restore({ tensors, steps, lossScale }: OptimizerState): void {
    this.dispose();
    if (this.#lossScaling !== undefined) this.#lossScale = makeLossScale(this.#lossScaling, lossScale);
    this.#skippedBefore = lossScale?.skipped ?? 0;
    for (const [name, step] of Object.entries(steps))
      this.#slots.set(name, { cohort: this.#cohort(name, step), tensors: new Map() });
    for (const [key, { shape, data }] of tensors) {
      const cut = key.lastIndexOf('/');
      this.#slots
        .get(key.slice(0, cut))
        ?.tensors.set(key.slice(cut + 1), tf.keep(tf.tensor(data, [...shape], 'float32')));
    }
  }

  /** Frees its tensors. */
  dispose(): void {
    for (const { cohort } of this.#slots.values()) {
      cohort.rates?.dispose();
      cohort.rates = undefined;
    }
    for (const { tensors } of this.#slots.values()) for (const tensor of tensors.values()) tensor.dispose();
    this.#slots.clear();
    this.#lossScale?.dispose();
    this.#lossScale = undefined;
  }
}
