// Training steps on batches of host data. On the thaw backend the step of each expected batch size is captured once and
// replayed; elsewhere, and for sizes that were not expected, it runs through the tape each time.
import { assignValues, canCapture, capture, type CapturedStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Classifier } from './classifier.ts';
import { BatchInput, type InputFormat, inputTensor, type TargetFormat, type TrainingBatch } from './batch-input.ts';
import { checkMixRules, mixedSide, mixForStep, MixPlace, mixTensors } from './mix.ts';
import { SplitStep } from './split-step.ts';
import { StepWeight } from './step-weight.ts';
import { beginStep, drawOf, StepSums, trainStep, trainStepOnHost, type StepInput, type StepOptions } from './step.ts'; // prettier-ignore

interface Captured {
  readonly x: BatchInput;
  readonly target: BatchInput | undefined;
  readonly labels: tf.Variable;
  readonly mix: MixPlace | undefined;
  readonly step: CapturedStep;
}

/** Training steps on batches of host data; where the backend can, a step is captured once and replayed. */
export class StepRunner {
  /** Loss and hits of the steps since the last read. */
  readonly sums = new StepSums();
  readonly #captured = new Map<number, Captured>();
  readonly #options: StepOptions;
  /** Where a batch goes through in parts. */
  readonly #split: SplitStep | undefined;
  readonly #own: StepWeight | undefined;
  /** What runs along where this rank has no images for a step. */
  #last: TrainingBatch | undefined;

  /**
   * @param partSize images that go through the device at a time, where a batch does not fit; gradients are added up
   * @param target of steps with CORAL
   * @throws where batches that are mixed are to be split
   */
  constructor(
    private readonly classifier: Classifier,
    private readonly optimizer: Optimizer,
    private readonly format: InputFormat,
    options: StepOptions = {},
    partSize?: number,
    private readonly target?: TargetFormat,
  ) {
    if (options.mix) checkMixRules(options.mix);
    if (partSize !== undefined && !options.exchange) this.#own = new StepWeight();
    const weight = options.exchange?.weight ?? this.#own;
    this.#options = { ...options, weight };
    if (partSize === undefined || !weight) return;
    if (mixedSide(options.mix, format) !== undefined) throw new Error('a batch whose images are mixed cannot be split');
    this.#split = new SplitStep({ classifier, optimizer, format, sums: this.sums, options: this.#options, weight, partSize }); // prettier-ignore
  }

  /** Captures the step of this batch size, where the backend can. @throws OutOfMemoryError where there is no memory for it */
  async prepare(size: number): Promise<void> {
    if (this.#split) return this.#split.prepare(size);
    if (!canCapture() || this.#captured.has(size)) return;
    const x = new BatchInput(size, this.format);
    const target = this.target && new BatchInput(this.target.size, this.target.format);
    const initial = tf.zeros([size], 'int32');
    const labels = tf.variable(initial, false);
    initial.dispose();
    // The state of an optimizer that has not begun yet is made in its first step.
    this.optimizer.prepare(this.classifier.trainables);
    const side = mixedSide(this.#options.mix, this.format);
    const mix = side === undefined ? undefined : new MixPlace(size, side);
    try {
      const step = await capture(() => {
        this.#step(() => ({
          x: x.read(),
          labels: labels as tf.Tensor1D,
          size,
          mix: mix?.tensors,
          target: target?.read(),
        }));
        return [];
      });
      this.#captured.set(size, { x, target, labels, mix, step });
    } catch (error) {
      mix?.dispose();
      target?.dispose();
      x.dispose();
      labels.dispose();
      throw error;
    }
  }

  /**
   * Runs one step; it may still be under way when this returns.
   * @param step number of the step in the run; seeds dropout
   * @throws where gradients are added up over ranks, which takes `runTogether`
   */
  run(batch: TrainingBatch, step: number): void {
    if (this.#options.exchange) throw new Error('a step of several ranks was run by one alone');
    if (this.#split) {
      beginStep(this.classifier, this.optimizer, step, this.#options);
      this.#split.runParts(batch, step, true, batch.size);
      this.#split.update.replay();
      return;
    }
    const begun = this.#begin(batch, step);
    if (begun.captured) begun.captured.step.replay();
    else this.#step(begun.input);
  }

  /**
   * Runs one step with the other ranks, each with a batch of its own; it may still be under way on the device when this is done.
   * @param batch undefined where this rank has no images for the step: it runs along on those it had last
   * @param all images of the step, over all ranks
   */
  async runTogether(batch: TrainingBatch | undefined, step: number, all: number): Promise<void> {
    const { exchange } = this.#options;
    if (!exchange) throw new Error('a step of one process was to be run by several');
    if (canCapture() && batch) await this.prepare(batch.size);
    const given = batch ?? this.#last ?? this.#blank();
    if (batch) this.#last = batch;
    if (this.#split) {
      beginStep(this.classifier, this.optimizer, step, this.#options);
      this.#split.runParts(given, drawOf(step, exchange), batch !== undefined, all);
      return this.#split.update.replayThroughHost();
    }
    exchange.weight.set(batch?.size ?? 0, all);
    const begun = this.#begin(given, step);
    if (begun.captured) await begun.captured.step.replayThroughHost();
    else await trainStepOnHost(this.classifier, this.optimizer, begun.input, exchange, this.sums, this.#options);
  }

  /** Tells the device what the step has of its own, its batch where it is captured. */
  #begin(
    batch: TrainingBatch,
    step: number,
  ): { readonly captured: Captured | undefined; readonly input: () => StepInput } {
    const { labels, size } = batch;
    const { exchange, mix: rules } = this.#options;
    beginStep(this.classifier, this.optimizer, step, this.#options);
    const mix = mixForStep(rules, this.format, drawOf(step, exchange), size);
    const captured = this.#captured.get(size);
    if (captured) {
      captured.x.set(batch);
      if (batch.target) captured.target?.set(batch.target);
      if (mix) captured.mix?.set(mix);
      assignValues(captured.labels, labels);
    }
    const input = (): StepInput => ({
      x: inputTensor(batch, this.format, size),
      labels: tf.tensor1d(labels, 'int32'),
      size,
      mix: mix && mixTensors(mix),
      target: batch.target && this.target && inputTensor(batch.target, this.target.format, this.target.size),
    });
    return { captured, input };
  }

  /** A batch that does not count, where this rank had none yet. */
  #blank(): TrainingBatch {
    const [size = 1] = this.#captured.keys();
    const values = new Float32Array(size * this.format.shape.reduce((product, length) => product * length, 1));
    return { values, labels: new Int32Array(size), size };
  }

  #step(input: () => StepInput): void {
    tf.tidy(() => {
      trainStep(this.classifier, this.optimizer, input(), this.sums, this.#options);
    });
  }

  /** Frees what was captured, and the sums. */
  dispose(): void {
    for (const { x, target, labels, mix, step } of this.#captured.values()) {
      step.dispose();
      target?.dispose();
      mix?.dispose();
      x.dispose();
      labels.dispose();
    }
    this.#captured.clear();
    this.#split?.dispose();
    this.#own?.dispose();
    this.sums.dispose();
  }
}
