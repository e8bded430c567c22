// Rounds in which every engine gets a slot in turn, so that a machine that slows down slows all of them.
import type { Sample, Workload } from '../workloads/workload.ts';
import { spread, type Spread } from './statistics.ts';
import { alone, fillSlot, SLOT_MS, warmUp, type Agree } from './warm-up.ts';

/** How long is measured. */
export interface InterleaveOptions {
  /** In which every workload has its turn, at most. */
  readonly rounds: number;
  /** Time for all rounds; an engine whose next slot would go over it sits out. Everyone gets one round. */
  readonly seconds: number;
  /** Makes one of what several processes, that take their turns together, have measured: the most of it. Default: there is one. */
  readonly agree?: Agree;
  /** Called with each sample that counts. */
  readonly onSample?: (name: string, sample: Sample) => void;
}

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
  { rounds, seconds, agree = alone, onSample }: InterleaveOptions,
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

/** As often as fills a slot, on a device that is warm; a repetition that fills one by itself counts. */
async function slot(workload: Workload, before: Sample | undefined, agree: Agree): Promise<Sample> {
  if (before) return fillSlot(workload, before, agree);
  const first = await workload.time(1);
  if ((await agree(first.milliseconds)) >= SLOT_MS) return first;
  return fillSlot(workload, await warmUp(workload, first, agree), agree);
}
