// Something an engine does again and again: it can be verified once, and then timed.
import type { Outputs } from '../measure/agreement.ts';

/** One timed slot. */
export interface Sample {
  /** Of one repetition. */
  readonly milliseconds: number;
  /** Of these, what JavaScript takes to record, encode and submit: in the quickest of the repetitions. */
  readonly hostMilliseconds: number;
  /** Of one repetition; undefined where nothing is dispatched to a device. */
  readonly dispatches: number | undefined;
  /** Most bytes of device memory held at once since the workload was opened. */
  readonly peakBytes: number | undefined;
}

export interface Workload {
  /** Runs once, from the same start in every engine, and gives the results to compare. */
  verify(): Promise<Outputs>;
  /** Runs `repetitions` times and waits for the device. */
  time(repetitions: number): Promise<Sample>;
  close(): Promise<void>;
}
