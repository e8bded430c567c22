// Moving statistics follow the batches': new = old * momentum + batch * (1 - momentum).
// As Keras's fused batch-norm (TensorFlow's FusedBatchNorm), the moving variance follows the unbiased variance of the
// batch, count / (count - 1) times the biased one that normalised it; see keras-team/keras#10443.
import * as tf from '@tensorflow/tfjs-core';

/** Keras's default. */
export const MOMENTUM = 0.99;

interface Pending {
  variable: tf.Variable;
  /** The batch's statistic, kept until it is applied. */
  batch: tf.Tensor;
  /** Bessel's correction, or 1. */
  correction: number;
}

/** What a training step saw, until the step is through and the statistics may move. */
export class MovingStatistics {
  #pending: Pending[] = [];

  /**
   * Notes a batch's statistics; they outlive the surrounding tidy.
   *
   * @param count values per channel that the statistics are of: batch * height * width
   */
  record(
    moving: { mean: tf.Variable; variance: tf.Variable },
    batch: { mean: tf.Tensor; variance: tf.Tensor },
    count: number,
  ): void {
    this.#pending.push({ variable: moving.mean, batch: tf.keep(batch.mean), correction: 1 });
    const correction = count / Math.max(1, count - 1);
    this.#pending.push({ variable: moving.variance, batch: tf.keep(batch.variance), correction });
  }

  /** Number of statistics waiting. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Moves the statistics, in the order of the batches. */
  apply(): void {
    for (const { variable, batch, correction } of this.#pending) {
      const moved = tf.tidy(() => tf.add(tf.mul(variable, MOMENTUM), tf.mul(batch, (1 - MOMENTUM) * correction)));
      variable.assign(moved);
      moved.dispose();
    }
    this.discard();
  }

  /** Forgets them, as after a step that is not to count. */
  discard(): void {
    for (const { batch } of this.#pending) batch.dispose();
    this.#pending = [];
  }
}
