// Loss scaling for float16 (Micikevicius et al., "Mixed Precision Training", ICLR 2018), on the device alone: the backward
// pass starts from `scale` in place of 1, the optimizer multiplies gradients by its inverse and skips a step in which one of
// them was not finite, and the scale follows.
// Kernels 'ThawNoteNonFinite' and 'ThawAdjustLossScale'.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/** How a loss scale moves. */
export type LossScaleRule = {
  /** Factor after a step whose gradients are not finite; 1 for a fixed scale. */
  readonly backoff: number;
  /** Factor after `interval` steps without a change; 1 for a fixed scale. */
  readonly growth: number;
  /** Steps without a change before the scale grows. */
  readonly interval: number;
  /** The scale stays in [least, most]. */
  readonly least: number;
  /** Upper bound of the scale. */
  readonly most: number;
};

/** What a loss scale was after some steps. */
export interface LossScaleState {
  /** What the loss is multiplied by. */
  readonly scale: number;
  /** Steps since the scale last changed. */
  readonly good: number;
  /** Steps skipped since this LossScale was made. */
  readonly skipped: number;
}

/** The factor that gradients are scaled by on their way through float16, kept and adjusted on the device. */
export class LossScale {
  readonly #scale: tf.Variable<tf.Rank.R0>;
  readonly #scaling: tf.Variable<tf.Rank.R1>;
  readonly #rule: LossScaleRule;

  /** @throws on another backend than thaw, and for a scale that is not above 0 */
  constructor(rule: LossScaleRule, { scale, good }: Omit<LossScaleState, 'skipped'>) {
    if (!onThaw()) throw new Error(`loss scaling: the ${tf.getBackend()} backend has no float16; train in float32.`);
    if (!(scale > 0 && Number.isFinite(scale)))
      throw new Error(`loss scaling: the scale must be above 0, got ${scale}.`);
    this.#rule = rule;
    this.#scale = tf.tidy(() => tf.variable<tf.Rank.R0>(tf.scalar(scale), false));
    this.#scaling = tf.tidy(() => tf.variable<tf.Rank.R1>(tf.tensor1d([1 / scale, 0, 0, good]), false));
  }

  /** [], where the backward pass starts. */
  get scale(): tf.Scalar {
    return this.#scale;
  }

  /** [4], for adamStep and sgdStep: 1 / scale, whether a gradient was not finite, steps skipped, steps since a change. */
  get scaling(): tf.Tensor1D {
    return this.#scaling;
  }

  /** Looks one of the step's scaled gradients through. */
  note(gradient: tf.Tensor): void {
    const [scaling] = tf.engine().runKernel<[tf.Tensor1D]>('ThawNoteNonFinite', { gradient, scaling: this.#scaling });
    this.#scaling.assign(scaling);
    scaling.dispose();
  }

  /** After the step's updates. */
  adjust(): void {
    const inputs = { scale: this.#scale, scaling: this.#scaling };
    const [scale, scaling] = tf.engine().runKernel<[tf.Scalar, tf.Tensor1D]>('ThawAdjustLossScale', inputs, this.#rule);
    this.#scale.assign(scale);
    this.#scaling.assign(scaling);
    tf.dispose([scale, scaling]);
  }

  /** Reads what it came to; waits for the device. */
  async read(): Promise<LossScaleState> {
    const [[scale = NaN], [, , skipped = NaN, good = NaN]] = await Promise.all([
      this.#scale.data<'float32'>(),
      this.#scaling.data<'float32'>(),
    ]);
    return { scale, good, skipped };
  }

  /** Frees its tensors. */
  dispose(): void {
    tf.dispose([this.#scale, this.#scaling]);
  }
}
