// One training step: loss, gradients of what trains, the optimizer's update; loss and hits are summed on the device.
import { accumulate, assignValues, layer, softmaxCrossEntropy, type LossScale } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { WeightAverage } from '../optimizers/weight-average.ts';
import type { GradientExchange } from '../parallel/gradient-exchange.ts';
import type { Classifier } from './classifier.ts';
import type { StepWeight } from './step-weight.ts';
import { coralLoss, type CoralRules } from './coral.ts';
import { mixImages, mixLosses, type MixRules, type MixTensors } from './mix.ts';

/** A training step was not finite; nothing after it counts. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';

  /** @param step of its epoch, from 1, at which it was noticed, where the steps before it can tell more */
  constructor(
    message: string,
    /** Of the epoch, from 1. */
    readonly step?: number,
  ) {
    super(message);
  }
}

/** A step does not fit into the device's memory. */
export class BatchTooLargeError extends Error {
  /** Of the class. */
  override readonly name = 'BatchTooLargeError';
}

/** Sums over the images of some steps. */
export interface StepTotals {
  /** Of their losses. */
  readonly loss: number;
  /** Images predicted right. */
  readonly correct: number;
}

/** Loss and hits since the last read, on the device. */
export class StepSums {
  readonly #loss = zero();
  readonly #correct = zero();

  /** Adds a step's mean loss, `size` times, and its hits. */
  add(loss: tf.Scalar, correct: tf.Scalar, size: number): void {
    accumulate(this.#loss, loss, size);
    accumulate(this.#correct, correct);
  }

  /** Reads and starts anew; no step may run in between. */
  async take(): Promise<StepTotals> {
    const totals = await this.peek();
    this.restore({ loss: 0, correct: 0 });
    return totals;
  }

  /** Reads without starting anew: the next steps add to the same sums. */
  async peek(): Promise<StepTotals> {
    const [[loss = 0], [correct = 0]] = await Promise.all([this.#loss.data(), this.#correct.data()]);
    return { loss, correct };
  }

  /** Goes on from what `peek` gave. */
  restore({ loss, correct }: StepTotals): void {
    assignValues(this.#loss, Float32Array.of(loss));
    assignValues(this.#correct, Float32Array.of(correct));
  }

  /** Frees the sums. */
  dispose(): void {
    tf.dispose([this.#loss, this.#correct]);
  }
}

function zero(): tf.Variable {
  const initial = tf.scalar(0);
  const sum = tf.variable<tf.Rank>(initial, false);
  initial.dispose();
  return sum;
}

/** What a step learns from, on the device. */
export interface StepInput {
  /** Features [size, inputs] of a frozen trunk, or images [size, height, width, 3]. */
  readonly x: tf.Tensor;
  /** int32 [size] */
  readonly labels: tf.Tensor1D;
  /** Number of images. */
  readonly size: number;
  /** How the images are mixed with each other; default not at all. */
  readonly mix?: MixTensors | undefined;
  /** Images of CORAL's target [n, height, width, 3]; default none. */
  readonly target?: tf.Tensor | undefined;
}

/** What a step may have besides. */
export interface StepOptions {
  /** Of the labels, in [0, 1); default 0. */
  readonly labelSmoothing?: number | undefined;
  /** [classes]: what the loss of an image counts, by its label; default 1. */
  readonly classWeights?: tf.Tensor1D | undefined;
  /** How images are mixed with each other; of features, nothing is. */
  readonly mix?: MixRules | undefined;
  /** Pulls features towards those of other images; where something of the trunk trains. */
  readonly coral?: CoralRules | undefined;
  /** Follows every variable. */
  readonly average?: WeightAverage | undefined;
  /** How much what runs counts in its step; default all. */
  readonly weight?: StepWeight | undefined;
  /** Adds gradients up over the ranks that train together; default: this process trains alone. */
  readonly exchange?: GradientExchange | undefined;
}

/** Tells the device what this step has of its own: rates and the seed of dropout. @param step its number in the run */
export function beginStep(
  classifier: Classifier,
  optimizer: Optimizer,
  step: number,
  { average, exchange }: StepOptions = {},
): void {
  optimizer.beginStep(classifier.trainables.keys());
  classifier.head.setStep(drawOf(step, exchange));
  average?.beginStep(step);
}

/** A number of the step for what is drawn at random in it: another one on each rank. */
export const drawOf = (step: number, exchange: GradientExchange | undefined): number =>
  exchange ? step * exchange.group.size + exchange.group.rank : step;

/** What a step computes before it updates anything; inside a tidy. `correct` is kept: the caller's to dispose. */
export function gradientsOf(
  classifier: Classifier,
  h: tf.Tensor,
  { labels, mix, target }: Pick<StepInput, 'labels' | 'mix' | 'target'>,
  { labelSmoothing = 0, classWeights, exchange, weight: share, coral }: StepOptions,
  lossScale: LossScale | undefined,
): { loss: tf.Scalar; gradients: ReadonlyMap<string, tf.Tensor>; correct: tf.Scalar | undefined } {
  const { network, head, trainables } = classifier;
  let correct: tf.Scalar | undefined;
  const lossOf = (): tf.Scalar => {
    const featuresOf = (x: tf.Tensor): tf.Tensor2D =>
      classifier.pool(network.trainablePart(x as tf.Tensor4D, { sync: exchange?.statistics }));
    const features = network.isFrozen ? (h as tf.Tensor2D) : featuresOf(h);
    const logits = head.logits(features, { training: true });
    correct = layer('metrics', () => tf.keep<tf.Scalar>(hits(logits, labels)));
    return layer('loss', () => {
      const lossesOf = (wanted: tf.Tensor1D): tf.Tensor1D => {
        const each = softmaxCrossEntropy(logits, wanted, { smoothing: labelSmoothing });
        return classWeights ? tf.mul(each, tf.gather(classWeights, wanted)) : each;
      };
      const loss: tf.Scalar = tf.mean(mix ? mixLosses(labels, mix, lossesOf) : lossesOf(labels));
      const penalty = head.penalty();
      const penalised = penalty ? tf.add<tf.Scalar>(loss, penalty) : loss;
      if (!coral || !target) return penalised;
      const distance = coralLoss(features, featuresOf(target));
      return tf.add<tf.Scalar>(penalised, tf.mul(distance, coral.weight));
    });
  };
  // The loss stays what it is; the backward pass starts from the loss scale and the share in the step in place of 1.
  const [scale, weight] = [lossScale?.scale, share?.weight];
  const start = scale && weight ? tf.mul<tf.Scalar>(scale, weight) : (scale ?? weight);
  const { value, grads } = tf.engine().gradients(lossOf, [...trainables.values()], start, true);
  const gradients = new Map([...trainables.keys()].flatMap((name, i) => (grads[i] ? [[name, grads[i]] as const] : [])));
  return { loss: value, gradients, correct };
}

/** What a step came to before its update; kept: the caller's to dispose. */
export interface ComputedStep {
  readonly loss: tf.Scalar;
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  readonly correct: tf.Scalar | undefined;
}

/** Forward and backward, after beginStep; inside a tidy. `correct` is kept: the caller's to dispose. */
export function computeStep(
  classifier: Classifier,
  optimizer: Optimizer,
  { x, labels, mix, target }: StepInput,
  options: StepOptions,
): ComputedStep {
  // The constant part stays off the tape: nothing of it is saved for the backward pass.
  const h = constantPart(classifier, mix ? mixImages(x, mix) : x);
  const below = target && constantPart(classifier, target);
  return gradientsOf(classifier, h, { labels, mix, target: below }, options, optimizer.lossScale);
}

/** The update by these gradients; inside a tidy. */
export function updateStep(
  classifier: Classifier,
  optimizer: Optimizer,
  gradients: ReadonlyMap<string, tf.Tensor>,
  { average }: StepOptions = {},
): void {
  const { lossScale } = optimizer;
  const ordered = optimizer.inOrder(classifier.trainables);
  const updates = ordered.flatMap(([name, variable]) => {
    const gradient = gradients.get(name);
    return gradient ? [{ name, variable, gradient }] : [];
  });
  layer('optimizer', () => {
    if (lossScale) for (const { gradient } of updates) lossScale.note(gradient);
    for (const { name, variable, gradient } of updates) optimizer.update(name, variable, gradient);
    lossScale?.adjust();
  });
  // In the optimizer's order, so that the averages of a group are one dispatch, too.
  const names = new Set([...ordered.map(([name]) => name), ...classifier.variables.keys()]);
  if (average) for (const name of names) average.update(name);
}

/** Adds what a step came to to the sums; inside a tidy. */
export function countStep(
  { loss, correct }: Pick<ComputedStep, 'loss' | 'correct'>,
  size: number,
  sums: StepSums,
  { weight }: StepOptions = {},
): void {
  if (!correct) return;
  layer('metrics', () => {
    if (!weight) sums.add(loss, correct, size);
    else sums.add(tf.mul<tf.Scalar>(loss, weight.counts), tf.mul<tf.Scalar>(correct, weight.counts), size);
  });
}

/** Everything of a step that runs on the device, after beginStep. With an exchange of gradients, inside a capture alone. */
export function trainStep(
  classifier: Classifier,
  optimizer: Optimizer,
  input: StepInput,
  sums: StepSums,
  options: StepOptions = {},
): void {
  tf.tidy(() => {
    const computed = computeStep(classifier, optimizer, input, options);
    const gradients = options.exchange?.add(computed.gradients) ?? computed.gradients;
    updateStep(classifier, optimizer, gradients, options);
    countStep(computed, input.size, sums, options);
    computed.correct?.dispose();
  });
}

/** The same where steps are not captured: the host adds gradients up between their halves. */
export async function trainStepOnHost(
  classifier: Classifier,
  optimizer: Optimizer,
  input: () => StepInput,
  exchange: GradientExchange,
  sums: StepSums,
  options: StepOptions,
): Promise<void> {
  const { size, ...computed } = keptStep(classifier, optimizer, input, options);
  let gradients: ReadonlyMap<string, tf.Tensor> = new Map();
  try {
    gradients = await exchange.addOnHost(computed.gradients);
    tf.tidy(() => {
      updateStep(classifier, optimizer, gradients, options);
      countStep(computed, size, sums, options);
    });
  } finally {
    tf.dispose([computed.loss, computed.correct ?? [], ...computed.gradients.values(), ...gradients.values()]);
  }
}

function keptStep(
  classifier: Classifier,
  optimizer: Optimizer,
  input: () => StepInput,
  options: StepOptions,
): ComputedStep & { readonly size: number } {
  let kept: (ComputedStep & { readonly size: number }) | undefined;
  tf.tidy(() => {
    const given = input();
    const computed = computeStep(classifier, optimizer, given, options);
    for (const tensor of [computed.loss, ...computed.gradients.values()]) tf.keep(tensor);
    kept = { ...computed, size: given.size };
  });
  if (!kept) throw new Error('a step computed nothing');
  return kept;
}

/** How many rows of the logits are highest at their label. */
const hits = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
  tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32'));

/** What of a step does not train: of images, the frozen part of the trunk; features are all of it. */
export function constantPart(classifier: Classifier, x: tf.Tensor): tf.Tensor {
  if (x.rank === 2) return x;
  const images = x as tf.Tensor4D;
  return classifier.network.isFrozen ? classifier.features(images) : classifier.network.frozenPart(images);
}
