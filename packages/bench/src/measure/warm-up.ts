// A device that was idle is not measured at once.
import type { Sample, Workload } from '../workloads/workload.ts';

/** A slot is at least this long, well above the timer's noise and the cost of waiting for the device. */
export const SLOT_MS = 250;
const MOST_REPETITIONS = 200;
/** A GPU that was idle takes some tenths of a second to raise its clocks, in which a step took four times as long (NVIDIA H200). */
const WARM_MS = 500;

/** Makes one of what several processes, that take their turns together, have measured: the most of it. */
export type Agree = (milliseconds: number) => Promise<number>;
export const alone: Agree = (milliseconds) => Promise.resolve(milliseconds);

/** Runs as often as fills a slot, judged by the sample before. */
export async function fillSlot(workload: Workload, before: Sample, agree: Agree): Promise<Sample> {
  const milliseconds = await agree(before.milliseconds);
  return workload.time(Math.min(MOST_REPETITIONS, Math.max(1, Math.ceil(SLOT_MS / milliseconds))));
}

/** Fills slots that do not count until the device is warm. @returns the last of them */
export async function warmUp(workload: Workload, first: Sample, agree: Agree = alone): Promise<Sample> {
  let last = first;
  for (const start = performance.now(); (await agree(performance.now() - start)) < WARM_MS;)
    last = await fillSlot(workload, last, agree);
  return last;
}
