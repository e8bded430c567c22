// One training step: loss, gradients of what trains, the optimizer's update; loss and hits are summed on the device.
import { accumulate, assignValues, softmaxCrossEntropy } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Classifier } from './classifier.ts';

/** A training step was not finite; nothing after it counts. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
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
  async take(): Promise<{ loss: number; correct: number }> {
    const [[loss = 0], [correct = 0]] = await Promise.all([this.#loss.data(), this.#correct.data()]);
    for (const sum of [this.#loss, this.#correct]) assignValues(sum, Float32Array.of(0));
    return { loss, correct };
  }

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

export interface StepInput {
  /** Features [size, inputs] of a frozen trunk, or images [size, height, width, 3]. */
  readonly x: tf.Tensor;
  /** int32 [size] */
  readonly labels: tf.Tensor1D;
  readonly size: number;
}

/** Tells the device what this step has of its own: rates and the seed of dropout. @param step its number in the run */
export function beginStep(classifier: Classifier, optimizer: Optimizer, step: number): void {
  optimizer.beginStep(classifier.trainables.keys());
  classifier.head.setStep(step);
}

/** Everything of a step that runs on the device, after beginStep. */
export function trainStep(classifier: Classifier, optimizer: Optimizer, input: StepInput, sums: StepSums): void {
  const { network, head } = classifier;
  const { labels, size } = input;
  tf.tidy(() => {
    // The constant part stays off the tape: nothing of it is saved for the backward pass.
    const h = network.isFrozen ? input.x : network.frozenPart(input.x as tf.Tensor4D);
    const trainables = classifier.trainables;
    let correct: tf.Scalar | undefined;
    const { value, grads } = tf.variableGrads((): tf.Scalar => {
      const features = network.isFrozen ? (h as tf.Tensor2D) : classifier.pool(network.trainablePart(h as tf.Tensor4D));
      const logits = head.logits(features, { training: true });
      correct = tf.keep<tf.Scalar>(tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32')));
      const loss: tf.Scalar = tf.mean(softmaxCrossEntropy(logits, labels));
      const penalty = head.penalty();
      return penalty ? tf.add(loss, penalty) : loss;
    }, [...trainables.values()]);
    for (const [name, variable] of trainables) {
      const gradient = grads[variable.name];
      if (gradient) optimizer.update(name, variable, gradient);
    }
    if (correct) {
      sums.add(value, correct, size);
      correct.dispose();
    }
  });
}
