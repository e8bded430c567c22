// One training step: loss, gradients of what trains, the optimizer's update; loss and hits are summed on the device.
import { softmaxCrossEntropy } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Classifier } from './classifier.ts';

/** A training step was not finite; nothing after it counts. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
}

/** Loss and hits since the last read, on the device. */
export class StepSums {
  #sums: { loss: tf.Scalar; correct: tf.Scalar } | undefined;

  add(loss: tf.Scalar, correct: tf.Scalar, size: number): void {
    const before = this.#sums;
    this.#sums = tf.tidy(() => {
      const weighted: tf.Scalar = tf.mul(loss, size);
      if (!before) return { loss: tf.keep(weighted), correct: tf.keep(tf.clone(correct)) };
      return {
        loss: tf.keep<tf.Scalar>(tf.add(before.loss, weighted)),
        correct: tf.keep<tf.Scalar>(tf.add(before.correct, correct)),
      };
    });
    tf.dispose(before ? [before.loss, before.correct] : []);
  }

  /** Reads and starts anew. */
  async take(): Promise<{ loss: number; correct: number }> {
    const sums = this.#sums;
    this.#sums = undefined;
    if (!sums) return { loss: 0, correct: 0 };
    const [[loss = 0], [correct = 0]] = await Promise.all([sums.loss.data(), sums.correct.data()]);
    tf.dispose([sums.loss, sums.correct]);
    return { loss, correct };
  }
}

export interface StepInput {
  /** Features [size, inputs] of a frozen trunk, or images [size, height, width, 3]. */
  readonly x: tf.Tensor;
  /** int32 [size] */
  readonly labels: tf.Tensor1D;
  readonly size: number;
  /** Number of the step in the run; seeds dropout. */
  readonly step: number;
}

export function trainStep(classifier: Classifier, optimizer: Optimizer, input: StepInput, sums: StepSums): void {
  const { network, head } = classifier;
  const { labels, size, step } = input;
  tf.tidy(() => {
    // The constant part stays off the tape: nothing of it is saved for the backward pass.
    const h = network.isFrozen ? input.x : network.frozenPart(input.x as tf.Tensor4D);
    const trainables = classifier.trainables;
    let correct: tf.Scalar | undefined;
    const { value, grads } = tf.variableGrads((): tf.Scalar => {
      const features = network.isFrozen ? (h as tf.Tensor2D) : classifier.pool(network.trainablePart(h as tf.Tensor4D));
      const logits = head.logits(features, step);
      correct = tf.keep<tf.Scalar>(tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32')));
      const loss: tf.Scalar = tf.mean(softmaxCrossEntropy(logits, labels));
      const penalty = head.penalty();
      return penalty ? tf.add(loss, penalty) : loss;
    }, [...trainables.values()]);
    for (const [name, variable] of trainables) {
      const gradient = grads[variable.name];
      if (gradient) optimizer.update(name, variable, gradient);
    }
    network.applyStatistics();
    if (correct) {
      sums.add(value, correct, size);
      correct.dispose();
    }
  });
}
