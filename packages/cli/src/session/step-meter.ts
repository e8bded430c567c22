// What the machine did in a run: steps, dispatches, memory.
import type { Group, TrainResult } from '@thaw/model';
import type { OpenBackend } from './backend.ts';

/** What the machine did, beside what was learnt. */
export interface Measurements {
  readonly steps: number;
  readonly secondsPerStep: number;
  /** From the first step's end to the last one's, in exchange with other ranks and waiting for them; undefined without. */
  readonly communicationSeconds?: number | undefined;
  readonly dispatchesPerStep: number | undefined;
  readonly peakDeviceBytes: number | undefined;
  readonly deviceBytesAfterStep2: number | undefined;
  readonly deviceBytesAtEnd: number | undefined;
  readonly tensorsAfterStep2: number;
  readonly tensorsAtEnd: number;
  /** Of mixed precision: the last loss scale, and the steps of the whole run that were skipped as gradients overflowed. */
  readonly lossScale?: { readonly scale: number; readonly skipped: number } | undefined;
}

/** Notes what the device holds and how much it is asked, step by step. */
export class StepMeter {
  #steps = 0;
  #dispatches: number | undefined;
  #perStep: number | undefined;
  #bytes: number | undefined;
  #bytesAtEnd: number | undefined;
  /** Seconds of exchange at the first step's end, and at the last one's. */
  #exchanged: { readonly first: number; readonly last: number } | undefined;

  constructor(
    private readonly backend: OpenBackend,
    private readonly group?: Group,
  ) {}

  step(): void {
    this.#steps++;
    if (this.group) this.#exchanged = { first: this.group.seconds, ...this.#exchanged, last: this.group.seconds };
    this.#bytesAtEnd = this.backend.memory()?.usedBytes;
    if (this.#steps === 2) this.#bytes = this.#bytesAtEnd;
    const dispatches = this.backend.dispatches();
    if (this.#steps === 3 && dispatches !== undefined && this.#dispatches !== undefined)
      this.#perStep = dispatches - this.#dispatches;
    this.#dispatches = dispatches;
  }

  report({ steps, secondsPerStep, memory, lossScale }: TrainResult): Measurements {
    return {
      steps,
      secondsPerStep,
      communicationSeconds: this.#exchanged && this.#exchanged.last - this.#exchanged.first,
      dispatchesPerStep: this.#perStep,
      peakDeviceBytes: this.backend.memory()?.peakBytes,
      deviceBytesAfterStep2: this.#bytes,
      deviceBytesAtEnd: this.#bytesAtEnd,
      ...memory,
      ...(lossScale && { lossScale: { scale: lossScale.scale, skipped: lossScale.skipped } }),
    };
  }
}
