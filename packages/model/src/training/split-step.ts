// A training step whose batch does not fit into the device's memory: it goes through in parts, whose gradients are added up and
// applied once. Captured: for each size of a part the passes that begin the sums and those that add to them, and the update.
import { accumulate, assignValues, capture, type CapturedStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { BatchInput, inputTensor, type InputBatch, type InputFormat, type TrainingBatch } from './batch-input.ts';
import type { Classifier } from './classifier.ts';
import { computeStep, countStep, updateStep, type StepInput, type StepOptions, type StepSums } from './step.ts';
import type { StepWeight } from './step-weight.ts';

interface Part {
  readonly x: BatchInput;
  readonly labels: tf.Variable;
  readonly first: CapturedStep;
  readonly next: CapturedStep;
}

/** Everything that a split step is made of; `options` without a mix of images, which would reach over parts. */
export interface SplitStepContext {
  readonly classifier: Classifier;
  readonly optimizer: Optimizer;
  readonly format: InputFormat;
  readonly sums: StepSums;
  readonly options: StepOptions;
  readonly weight: StepWeight;
  /** Images of a part, at most. */
  readonly partSize: number;
}

/** Between the draws of the parts of a step: more than a run has steps. */
const PART_STRIDE = 2 ** 24;

export class SplitStep {
  readonly #gradients = new Map<string, tf.Variable>();
  readonly #parts = new Map<number, Part>();
  #update: CapturedStep | undefined;

  constructor(private readonly context: SplitStepContext) {}

  /** Captures what batches of this size need. @throws OutOfMemoryError where there is no memory for it */
  async prepare(size: number): Promise<void> {
    for (const part of new Set(this.#sizes(size))) if (!this.#parts.has(part)) await this.#capturePart(part);
    this.#update ??= await this.#captureUpdate();
  }

  /**
   * After beginStep: gradients of the batch, for the update.
   * @param draw number of the step for what is drawn at random in it
   * @param counted whether the batch counts
   * @param all images of the step
   */
  runParts({ values, views, labels, size }: TrainingBatch, draw: number, counted: boolean, all: number): void {
    const width = values.length / size;
    let at = 0;
    for (const [i, images] of this.#sizes(size).entries()) {
      const batch = {
        values: values.subarray(at * width, (at + images) * width),
        views: views?.slice(at, at + images),
        labels: labels.subarray(at, at + images),
      };
      this.context.weight.set(counted ? images : 0, all);
      // Parts drop other features than the part before them did.
      this.context.classifier.head.setStep(draw + i * PART_STRIDE);
      this.#runPart(batch, images, at === 0);
      at += images;
    }
  }

  /** The update by what runParts has summed. */
  get update(): CapturedStep {
    if (!this.#update) throw new Error('a split step was not prepared');
    return this.#update;
  }

  #runPart(batch: InputBatch & { readonly labels: Int32Array }, size: number, anew: boolean): void {
    const part = this.#parts.get(size);
    if (part) {
      part.x.set(batch);
      assignValues(part.labels, batch.labels);
      (anew ? part.first : part.next).replay();
      return;
    }
    // Of a size that was not expected, as where images were unreadable.
    this.#pass(() => ({ x: inputTensor(batch, this.context.format, size), labels: tf.tensor1d(batch.labels, 'int32'), size }), anew); // prettier-ignore
  }

  /** As even as can be. */
  #sizes(size: number): number[] {
    const parts = Math.ceil(size / this.context.partSize);
    return Array.from(
      { length: parts },
      (_, i) => Math.floor(((i + 1) * size) / parts) - Math.floor((i * size) / parts),
    );
  }

  async #capturePart(size: number): Promise<void> {
    const { classifier, optimizer, format } = this.context;
    optimizer.prepare(classifier.trainables);
    for (const [name, { shape }] of classifier.trainables)
      if (!this.#gradients.has(name)) this.#gradients.set(name, zeros(shape, 'float32'));
    const x = new BatchInput(size, format);
    const labels = zeros([size], 'int32');
    const made: CapturedStep[] = [];
    try {
      for (const anew of [true, false]) {
        const step = await capture(() => {
          this.#pass(() => ({ x: x.read(), labels: labels as tf.Tensor1D, size }), anew);
          return [];
        });
        made.push(step);
      }
      const [first, next] = made;
      if (first && next) this.#parts.set(size, { x, labels, first, next });
    } catch (error) {
      for (const step of made) step.dispose();
      x.dispose();
      labels.dispose();
      throw error;
    }
  }

  #pass(input: () => StepInput, anew: boolean): void {
    const { classifier, optimizer, options, sums } = this.context;
    tf.tidy(() => {
      const given = input();
      const computed = computeStep(classifier, optimizer, given, options);
      // In the optimizer's order, so that each group's are one dispatch.
      for (const [name] of optimizer.inOrder(classifier.trainables)) {
        const [sum, gradient] = [this.#gradients.get(name), computed.gradients.get(name)];
        if (sum && gradient) accumulate(sum, gradient, 1, { anew });
      }
      countStep(computed, given.size, sums, options);
      computed.correct?.dispose();
    });
  }

  #captureUpdate(): Promise<CapturedStep> {
    const { classifier, optimizer, options } = this.context;
    return capture(() => {
      tf.tidy(() => {
        const gradients = options.exchange?.add(this.#gradients) ?? this.#gradients;
        updateStep(classifier, optimizer, gradients, options);
      });
      return [];
    });
  }

  dispose(): void {
    for (const { x, labels, first, next } of this.#parts.values()) {
      first.dispose();
      next.dispose();
      x.dispose();
      labels.dispose();
    }
    this.#update?.dispose();
    tf.dispose([...this.#gradients.values()]);
  }
}

function zeros(shape: number[], dtype: 'float32' | 'int32'): tf.Variable {
  const initial = tf.zeros(shape, dtype);
  const variable = tf.variable(initial, false);
  initial.dispose();
  return variable;
}
