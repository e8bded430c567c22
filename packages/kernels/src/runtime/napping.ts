/**
 * Waiting for a device that is the processor itself. While a promise of the device is open, Dawn's binding for Node asks for
 * finished work in every turn of the event loop, which takes a whole core from such a device. Naps between the turns give it
 * back: at most a sixteenth of the time waited so far, so that a wait grows by no more than that.
 */
const SHARE = 1 / 16;
const LONGEST_MS = 1;

export class Napping {
  #waits = 0;
  #since = 0;
  #isTurning = false;
  #cell: Int32Array<SharedArrayBuffer> | undefined;

  /** Where there is no setImmediate, as in browsers, it only waits: nothing asks in turns there, and naps are not allowed. */
  async during<T>(work: Promise<T>): Promise<T> {
    if (typeof setImmediate !== 'function') return work;
    if (this.#waits++ === 0) this.#since = performance.now();
    // The turn of a wait just over may still be to come, and serves this one.
    if (!this.#isTurning) setImmediate(() => this.#turn());
    this.#isTurning = true;
    try {
      return await work;
    } finally {
      this.#waits--;
    }
  }

  #turn(): void {
    this.#isTurning = this.#waits > 0;
    if (!this.#isTurning) return;
    this.#cell ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(this.#cell, 0, 0, Math.min(LONGEST_MS, SHARE * (performance.now() - this.#since)));
    setImmediate(() => this.#turn());
  }
}
