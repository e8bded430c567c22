// How much what runs counts in the step that it is a part of: a rank's share of a step, or a part of a batch.
import { HostVector } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** Set by the host before each run, read by the device in it. */
export class StepWeight {
  readonly #weight = new HostVector([1], 'float32');
  readonly #counts = new HostVector([1], 'float32');

  /** Before a run. @param images that run and count, @param all of the step; none counts where images are 0 */
  set(images: number, all: number): void {
    this.#weight.set([all === 0 ? 0 : images / all]);
    this.#counts.set([images === 0 ? 0 : 1]);
  }

  /** [], by which the mean loss of what runs counts in that of the step. */
  get weight(): tf.Scalar {
    return tf.reshape(this.#weight.tensor, []);
  }

  /** [], 1 where what runs counts, and 0 where it runs along on images that do not. */
  get counts(): tf.Scalar {
    return tf.reshape(this.#counts.tensor, []);
  }

  /** The same on the host. */
  get isCounted(): boolean {
    return this.#counts.values[0] === 1;
  }

  /** Frees its numbers. */
  dispose(): void {
    this.#weight.dispose();
    this.#counts.dispose();
  }
}
