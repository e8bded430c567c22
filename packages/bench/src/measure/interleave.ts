// Rounds in which every engine gets a slot in turn, so that a machine that slows down slows all of them.
import type { Sample, Workload } from '../workloads/workload.ts';
import { spread, type Spread } from './statistics.ts';

/** A slot is at least this long, well above the timer's noise and the cost of waiting for the device. */
const SLOT_MS = 250;
const MOST_REPETITIONS = 200;
/** A GPU that was idle takes some tenths of a second to raise its clocks, in which a step took four times as long (NVIDIA H200). */
const WARM_MS = 500;

/** How long is measured. */
export interface InterleaveOptions {
  /** In which every workload has its turn, at most. */
  readonly rounds: number;
  /** Time for all rounds; an engine whose next slot would go over it sits out. Everyone gets one round. */
  readonly seconds: number;
  /** Makes one of what several processes, that take their turns together, have measured: the most of it. Default: there is one. */
  readonly agree?: (milliseconds: number) => Promise<number>;
  /** Called with each sample that counts. */
  readonly onSample?: (name: string, sample: Sample) => void;
}

const one = (milliseconds: number): Promise<number> => Promise.resolve(milliseconds);

/** What was measured of one workload. */
export interface Measured {
  /** Time of one repetition, the device's work included. */
  readonly milliseconds: Spread;
  /** Of that, the time that the host took to ask for it. */
  readonly hostMilliseconds: Spread;
  /** Dispatches of one repetition; undefined where nothing is dispatched to a device. */
  readonly dispatches: number | undefined;
  /** Most bytes of device memory held at once; undefined where there is no device. */
  readonly peakBytes: number | undefined;
}

/** Times the workloads by engine; the first repetitions, in which pipelines compile, must have been run before. */
export async function interleave<Name extends string>(
  workloads: ReadonlyMap<Name, Workload>,
  { rounds, seconds, agree = one, onSample }: InterleaveOptions,
): Promise<Map<Name, Measured>> {
  const start = performance.now();
  const samples = new Map<Name, Sample[]>();
  const slots = new Map<Name, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, workload] of workloads) {
      const before = samples.get(name) ?? [];
      const last = before.at(-1);
      const took = performance.now() - start;
      if (last && (await agree(took + (slots.get(name) ?? 0))) > 1000 * seconds) continue;
      const began = performance.now();
      const sample = await slot(workload, last, agree);
      onSample?.(name, sample);
      samples.set(name, [...before, sample]);
      slots.set(name, performance.now() - began);
    }
  }
  return new Map(
    [...samples].map(([name, list]) => [
      name,
      {
        milliseconds: spread(list.map(({ milliseconds }) => milliseconds)),
        hostMilliseconds: spread(list.map(({ hostMilliseconds }) => hostMilliseconds)),
        dispatches: list.at(-1)?.dispatches,
        peakBytes: list.at(-1)?.peakBytes,
      },
    ]),
  );
}

/**
 * Runs as often as fills a slot, judged by the slot before. Before the first, slots that do not count warm the device up. A
 * repetition that fills a slot by itself counts.
 */
async function slot(
  workload: Workload,
  before: Sample | undefined,
  agree: NonNullable<InterleaveOptions['agree']>,
): Promise<Sample> {
  const fill = async ({ milliseconds }: Sample): Promise<Sample> => {
    const agreed = await agree(milliseconds);
    return workload.time(Math.min(MOST_REPETITIONS, Math.max(1, Math.ceil(SLOT_MS / agreed))));
  };
  if (before) return fill(before);
  let last = await workload.time(1);
  if ((await agree(last.milliseconds)) >= SLOT_MS) return last;
  for (const start = performance.now(); (await agree(performance.now() - start)) < WARM_MS;) last = await fill(last);
  return fill(last);
}
