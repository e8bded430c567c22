// thaw bench cold: from the start of a program to its first result, each time in a new process, with the driver's caches off.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeTrunk, foldBatchNorm, randomWeights, uniformNumbers, VARIANTS } from '@thaw/model';
import { FORWARD_TOLERANCE } from './bench-step.ts';
import { COLD_PHASES, type ColdPhase, type ColdTask } from './cold/child.ts';
import { unitsOf } from './cold/network.ts';
import { COLD_ENGINES, startCold, type ColdEngineName } from './cold/start.ts';
import { checkAgreement } from './measure/agreement.ts';
import { spread, type Spread } from './measure/statistics.ts';
import { VARIANT } from './workloads/step.ts';

/** What is started cold, and how often. */
export interface BenchColdOptions {
  /** Part of the adapter's name. */
  readonly adapter?: string | undefined;
  /** Side of the square images. */
  readonly imageSize: number;
  /** Images of the forward pass. */
  readonly batchSize: number;
  /** Of the weights and the images. */
  readonly seed: number;
  /** Starts of each engine. */
  readonly rounds: number;
  /** Lets drivers use the compiled shaders that they keep on disk. Default false. */
  readonly shaderCaches?: boolean;
}

/** One cold start. */
export interface ColdStart {
  /** Which engine started. */
  readonly engine: ColdEngineName;
  /** Milliseconds from Node's start of the program to the first result. */
  readonly milliseconds: number;
  /** The same by phase. */
  readonly phases: Readonly<Record<ColdPhase, number>>;
  /** Milliseconds of the same pass once more. */
  readonly secondPass: number;
  /** Compute pipelines made for the first pass. */
  readonly pipelines: number;
}

/** The cold starts of one engine. */
export interface ColdRow {
  /** Which engine started. */
  readonly engine: ColdEngineName;
  /** From Node's start of the program to the first result. */
  readonly milliseconds: Spread;
  /** Medians. */
  readonly phases: Readonly<Record<ColdPhase, number>>;
  /** Median milliseconds of the same pass once more. */
  readonly secondPass: number;
  /** Compute pipelines made for the first pass. */
  readonly pipelines: number;
  /** Thaw's median over this one's: at most 0.6 is wanted. */
  readonly thawShare: number;
}

/**
 * Starts the engines in turns, `rounds` times.
 * @throws DisagreementError when one computes something else; PeerError when a process fails
 */
export async function benchCold(options: BenchColdOptions, onStart?: (start: ColdStart) => void): Promise<ColdRow[]> {
  const { rounds, shaderCaches = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'thaw-cold-'));
  try {
    const task = await writeTask(join(folder, 'numbers.f32'), options);
    const starts: ColdStart[] = [];
    let reference: Float32Array | undefined;
    for (let round = 0; round < rounds; round++)
      for (const engine of COLD_ENGINES) {
        const { phases, secondPass, pipelines, features } = await startCold(engine, task, shaderCaches);
        reference ??= features;
        checkAgreement(
          'a cold start',
          [engine, { features }],
          ['thaw', { features: reference }],
          () => FORWARD_TOLERANCE,
        );
        const milliseconds = COLD_PHASES.reduce((sum, phase) => sum + phases[phase], 0);
        const start = { engine, milliseconds, phases, secondPass, pipelines };
        starts.push(start);
        onStart?.(start);
      }
    return summariseCold(starts);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Medians by engine. */
export function summariseCold(starts: readonly ColdStart[]): ColdRow[] {
  const of = (engine: ColdEngineName, value: (start: ColdStart) => number): Spread =>
    spread(starts.filter((start) => start.engine === engine).map(value));
  const thaw = of('thaw', ({ milliseconds }) => milliseconds).median;
  return COLD_ENGINES.map((engine) => {
    const milliseconds = of(engine, (start) => start.milliseconds);
    const median = (phase: ColdPhase): [ColdPhase, number] => [phase, of(engine, ({ phases }) => phases[phase]).median];
    return {
      engine,
      milliseconds,
      phases: Object.fromEntries(COLD_PHASES.map(median)) as Record<ColdPhase, number>,
      secondPass: of(engine, (start) => start.secondPass).median,
      pipelines: of(engine, (start) => start.pipelines).max,
      thawShare: thaw / milliseconds.median,
    };
  });
}

/** Random weights with their batch-norms folded, and images behind them. */
async function writeTask(numbers: string, options: BenchColdOptions): Promise<ColdTask> {
  const { seed, imageSize, batchSize, adapter } = options;
  const { tensors } = randomWeights({ seed, variant: VARIANT });
  const variant = VARIANTS[VARIANT];
  const network = describeTrunk(variant);
  const values = (name: string): Float32Array => {
    const found = tensors.get(name);
    if (!found) throw new Error(`the random weights lack ${name}`);
    return Float32Array.from(found.data);
  };
  const uniform = uniformNumbers(seed + 1);
  const images = Float32Array.from({ length: batchSize * imageSize * imageSize * 3 }, () => 2 * uniform() - 1);
  const folded = unitsOf(network).flatMap((spec) => {
    const { filter, bias } = foldBatchNorm(spec, values, variant.convBias, variant.epsilon);
    return [filter, bias];
  });
  await writeFile(numbers, Buffer.concat([...folded, images].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)))); // prettier-ignore
  return { network, numbers, imageSize, batchSize, adapter };
}
