// Loss scaling skips a step now and then; a run that does nothing else has diverged.
import type { Optimizer } from '../optimizers/optimizer.ts';
import { DivergedError } from './step.ts';

export class SkipWatch {
  #steps = 0;
  #skipped = 0;
  #inARow = 0;

  /** @param most steps in a row that may be skipped: at 20 a dynamic scale is a millionth of what it was */
  constructor(
    private readonly optimizer: Optimizer,
    private readonly most: number,
  ) {}

  /** @param steps done so far; @throws DivergedError when not one of the last `most` or more had finite gradients */
  async look(steps: number): Promise<void> {
    const state = await this.optimizer.lossScale?.read();
    if (!state) return;
    const isStuck = state.skipped - this.#skipped === steps - this.#steps;
    this.#inARow = isStuck ? this.#inARow + steps - this.#steps : 0;
    this.#steps = steps;
    this.#skipped = state.skipped;
    if (this.#inARow >= this.most)
      throw new DivergedError(
        `the gradients of the last ${this.#inARow} steps were not finite, down to a loss scale of ${state.scale}, and all of ` +
          'these steps were skipped. Try a smaller learning rate or loss scale, or float32 in place of mixed precision.',
      );
  }
}
