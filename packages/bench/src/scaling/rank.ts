// The training step on a rank of a job: alone, with the other ranks, and the other ranks' messages without the step, in turns.
import { createHash } from 'node:crypto';
import { GradientExchange, StepRunner, type GradientCompression, type Group, type Precision } from '@thaw/model';
import type { Engine } from '../engines/engine.ts';
import { DisagreementError } from '../measure/agreement.ts';
import { interleave, type InterleaveOptions } from '../measure/interleave.ts';
import { spread, type Spread } from '../measure/statistics.ts';
import { timeRepetitions } from '../workloads/repeat.ts';
import { makeStep, type StepCase, type StepParts } from '../workloads/step.ts';
import type { Workload } from '../workloads/workload.ts';
import { CountedGroup, replayCalls, sentBytes, type GroupCall } from './counted-group.ts';

/** What `benchScaling` measures with. */
export interface BenchScalingOptions extends Pick<InterleaveOptions, 'rounds' | 'seconds'> {
  /** Thaw's engine, on this rank's device. */
  readonly engine: Engine;
  /** The ranks of the job; every one of them measures. */
  readonly group: Group;
  /** In which numbers gradients travel. */
  readonly compression: GradientCompression;
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images of each rank in a step. */
  readonly batchSize: number;
  /** Of weights, images and labels. */
  readonly seed: number;
  /** Of the trunk. */
  readonly precision?: Precision | undefined;
}

/** What one rank measured of a step. */
export interface RankFigures {
  /** Milliseconds of a step that exchanges nothing, while the other ranks do the same. */
  readonly alone: Spread;
  /** Milliseconds of a step with the others. */
  readonly together: Spread;
  /** Milliseconds of the step's messages with no step around them. */
  readonly messages: Spread;
  /** Milliseconds of a step with the others in which this rank was in a call of MPI, waiting included. */
  readonly communication: Spread;
  /** A hash of what trains, after the first step with the others. */
  readonly variables: string;
}

/** A case on all ranks; equal on each of them. */
export interface ScalingRow {
  /** Name of the case. */
  readonly case: string;
  /** What it is, in a few words. */
  readonly about: string;
  /** Processes of the job. */
  readonly ranks: number;
  /** In which numbers gradients travel. */
  readonly compression: GradientCompression;
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images of each rank in a step. */
  readonly batchSize: number;
  /** Milliseconds, of the slowest rank. */
  readonly alone: Spread;
  /** Milliseconds, of the slowest rank. */
  readonly together: Spread;
  /** Milliseconds, of the slowest rank. */
  readonly messages: Spread;
  /** Milliseconds, of the rank that spent most. */
  readonly communication: Spread;
  /** Milliseconds by which a step with the others is longer: staging included, and what the two take from each other. */
  readonly exposedMilliseconds: number;
  /** Alone over together. */
  readonly efficiency: number;
  /** Images a second of all ranks. */
  readonly imagesPerSecond: number;
  /** Calls of MPI in a step. */
  readonly calls: number;
  /** Bytes that a rank hands to MPI in a step. */
  readonly bytesOut: number;
  /** Bytes that MPI gives back. */
  readonly bytesBack: number;
  /** Bytes that a rank sends to others, at least. */
  readonly bytesSent: number;
  /** Of each rank. */
  readonly perRank: readonly RankFigures[];
}

/** Runs one case on this rank; collective. @throws DisagreementError where a step leaves ranks with different weights */
export async function benchScaling(stepCase: StepCase, options: BenchScalingOptions): Promise<ScalingRow> {
  const { engine, group, compression, imageSize, batchSize, seed, precision } = options;
  const counted = new CountedGroup(group);
  const spec = { kind: 'step', part: stepCase.part, imageSize, batchSize, seed, precision } as const;
  const parts = await makeStep(engine, spec, group.rank);
  const exchange = new GradientExchange(counted, compression);
  const alone = new StepRunner(parts.classifier, parts.optimizer, { shape: parts.shape });
  const together = new StepRunner(parts.classifier, parts.optimizer, { shape: parts.shape }, { exchange });
  try {
    const all = batchSize * group.size;
    let step = 0;
    const runTogether = (): Promise<void> => together.runTogether(parts.batch, step++, all);
    await runTogether();
    const variables = await fingerprint(parts);
    counted.clear();
    await runTogether();
    const calls = [...counted.calls];
    await alone.prepare(batchSize);
    const messages = replayCalls(group, calls);
    /** Milliseconds in MPI of a repetition just timed. */
    let spent = 0;
    const communication: number[] = [];
    const timed = (run: () => void | Promise<void>): Workload => ({
      ...NOTHING_ELSE,
      async time(repetitions) {
        const before = group.seconds;
        const sample = await timeRepetitions(engine, repetitions, run);
        spent = (1000 * (group.seconds - before)) / repetitions;
        return sample;
      },
    });
    const workloads = new Map([
      ['alone', timed(() => alone.run(parts.batch, step++))],
      ['together', timed(runTogether)],
      ['messages', timed(messages)],
    ] as const);
    const measured = await interleave(workloads, {
      ...options,
      agree: async (milliseconds) => Math.max(...(await gatherJson(group, milliseconds))),
      onSample: (name) => {
        if (name === 'together') communication.push(spent);
      },
    });
    const figure = (name: 'alone' | 'together' | 'messages'): Spread => measured.get(name)?.milliseconds ?? spread([]);
    const own: RankFigures = {
      alone: figure('alone'),
      together: figure('together'),
      messages: figure('messages'),
      communication: spread(communication),
      variables,
    };
    return summarise(stepCase, options, calls, await gatherJson(group, own));
  } finally {
    alone.dispose();
    together.dispose();
    exchange.dispose();
    parts.classifier.dispose();
    parts.optimizer.dispose();
    await engine.settle(0);
  }
}

const NOTHING_ELSE: Pick<Workload, 'verify' | 'close'> = {
  verify: () => Promise.resolve({}),
  close: () => Promise.resolve(),
};

/** What trains, as one number: equal on ranks that are in step. */
async function fingerprint({ classifier }: StepParts): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, variable] of classifier.trainables)
    hash.update(name).update(Float32Array.from(await variable.data<'float32'>()));
  return hash.digest('hex');
}

async function gatherJson<T>(group: Group, value: T): Promise<T[]> {
  const all = await group.gather(new TextEncoder().encode(JSON.stringify(value)));
  return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as T);
}

/** One row of all ranks' figures, by rank. @throws DisagreementError */
export function summarise(
  { name, about }: StepCase,
  { group, compression, imageSize, batchSize }: Omit<BenchScalingOptions, 'engine' | 'seed' | 'rounds' | 'seconds'>,
  calls: readonly GroupCall[],
  perRank: readonly RankFigures[],
): ScalingRow {
  const apart = perRank.findIndex(({ variables }) => variables !== perRank[0]?.variables);
  if (apart !== -1)
    throw new DisagreementError(
      `${name}: after one step together, rank ${apart} has other weights than rank 0; the times mean nothing.`,
    );
  const slowest = (figure: Exclude<keyof RankFigures, 'variables'>): Spread =>
    perRank.map((one) => one[figure]).reduce((most, one) => (one.median > most.median ? one : most));
  const sum = (of: (call: GroupCall) => number): number => calls.reduce((total, call) => total + of(call), 0);
  const [alone, together] = [slowest('alone'), slowest('together')];
  return {
    case: name,
    about,
    ranks: group.size,
    compression,
    imageSize,
    batchSize,
    alone,
    together,
    messages: slowest('messages'),
    communication: slowest('communication'),
    exposedMilliseconds: together.median - alone.median,
    efficiency: alone.median / together.median,
    imagesPerSecond: (1000 * batchSize * group.size) / together.median,
    calls: calls.length,
    bytesOut: sum(({ bytes }) => bytes),
    bytesBack: sum(({ back }) => back),
    bytesSent: sum((call) => sentBytes(call, group.size)),
    perRank,
  };
}
