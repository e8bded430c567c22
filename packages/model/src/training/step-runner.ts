// Training steps on batches of host data. On the thaw backend the step of each expected batch size is captured once and
// replayed; elsewhere, and for sizes that were not expected, it runs through the tape each time.
import { assignValues, canCapture, capture, type CapturedStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Classifier } from './classifier.ts';
import { BatchInput } from './batch-input.ts';
import { beginStep, StepSums, trainStep } from './step.ts';

export interface TrainingBatch {
  /** [size, ...shape] */
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly size: number;
}

interface Captured {
  readonly x: BatchInput;
  readonly labels: tf.Variable;
  readonly step: CapturedStep;
}

export class StepRunner {
  readonly sums = new StepSums();
  readonly #captured = new Map<number, Captured>();

  /** @param shape of one image or feature vector */
  constructor(
    private readonly classifier: Classifier,
    private readonly optimizer: Optimizer,
    private readonly shape: readonly number[],
  ) {}

  /** Captures the step of this batch size, where the backend can. */
  async prepare(size: number): Promise<void> {
    if (!canCapture() || this.#captured.has(size)) return;
    const x = new BatchInput([size, ...this.shape]);
    const initial = tf.zeros([size], 'int32');
    const labels = tf.variable(initial, false);
    initial.dispose();
    // The state of an optimizer that has not begun yet is made in its first step.
    this.optimizer.prepare(this.classifier.trainables);
    const step = await capture(() => {
      trainStep(this.classifier, this.optimizer, { x: x.tensor, labels: labels as tf.Tensor1D, size }, this.sums);
      return [];
    });
    this.#captured.set(size, { x, labels, step });
  }

  /** @param step number of the step in the run; seeds dropout */
  run({ values, labels, size }: TrainingBatch, step: number): void {
    beginStep(this.classifier, this.optimizer, step);
    const captured = this.#captured.get(size);
    if (captured) {
      captured.x.set(values);
      assignValues(captured.labels, labels);
      captured.step.replay();
      return;
    }
    const x = tf.tensor(values, [size, ...this.shape]);
    const labelTensor = tf.tensor1d(labels, 'int32');
    trainStep(this.classifier, this.optimizer, { x, labels: labelTensor, size }, this.sums);
    tf.dispose([x, labelTensor]);
  }

  dispose(): void {
    for (const { x, labels, step } of this.#captured.values()) {
      step.dispose();
      x.dispose();
      labels.dispose();
    }
    this.#captured.clear();
    this.sums.dispose();
  }
}
