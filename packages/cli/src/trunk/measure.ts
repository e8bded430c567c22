// Measures the trunk on the device and on tfjs-wasm with the same images, and compares what they give before any time counts.
import { FORWARD_TOLERANCE, relativeDifference, spread } from '@thaw/bench';
import type { TrunkRunner } from '@thaw/model';
import { CommandError, explain } from '../errors.ts';
import { fasterEngine, paysToStart, type TrunkSpeeds, type TrunkUse } from './choose.ts';
import type { WasmPool } from './pool.ts';

export type Pool = Pick<WasmPool, keyof TrunkRunner | 'threads' | 'close'>;

export interface MeasureRequest {
  readonly device: TrunkRunner;
  readonly openPool: () => Promise<Pool>;
  /** [size, height, width, 3] */
  readonly images: Float32Array;
  readonly size: number;
  /** Images that the winner will run on. */
  readonly ahead: number;
  readonly signal?: AbortSignal | undefined;
  /** Told why tfjs-wasm is out of the question. */
  readonly warn: (reason: string) => void;
  /** Milliseconds; tests have a clock of their own. */
  readonly now?: () => number;
}

export interface MeasuredTrunk {
  /** Undefined where nothing was compared: too few images, or a warning. */
  readonly use: TrunkUse | undefined;
  /** The pool, where it won; otherwise its threads have ended. */
  readonly pool: Pool | undefined;
}

const ROUNDS = 3;

/** @throws what the device throws at first, and when the signal stops it */
export async function measureTrunk(request: MeasureRequest): Promise<MeasuredTrunk> {
  const { device, openPool, images, size, ahead, signal, warn, now = () => performance.now() } = request;
  const round = async (runner: TrunkRunner): Promise<number> => {
    const start = now();
    await together(runner, runner.inFlight, images, size);
    return (1000 * runner.inFlight * size) / (now() - start);
  };
  // The first run of each is the warm-up too: pipelines are compiled, filters packed.
  const reference = await device.run(images, size);
  if (!paysToStart(ahead, await round(device))) return { use: undefined, pool: undefined };
  let pool: Pool | undefined;
  try {
    pool = await openPool();
    const { threads } = pool;
    const [first] = await together(pool, threads, images, size);
    const difference = relativeDifference(first ?? new Float32Array(0), reference);
    if (!(difference <= FORWARD_TOLERANCE))
      throw new CommandError(
        `Features of tfjs-wasm differ from the device's by ${difference.toExponential(1)} of their length; rounding explains ${FORWARD_TOLERANCE.toExponential(1)}.`,
      );
    // In turns, so that what else the machine does in between meets both.
    const rounds: TrunkSpeeds[] = [];
    while (rounds.length < ROUNDS) rounds.push({ device: await round(device), wasm: await round(pool) });
    const median = (of: keyof TrunkSpeeds): number => spread(rounds.map((speeds) => speeds[of])).median;
    const imagesPerSecond = { device: median('device'), wasm: median('wasm') };
    const use = { engine: fasterEngine(imagesPerSecond), threads, imagesPerSecond };
    if (use.engine === 'wasm') return { use, pool };
    await pool.close();
    return { use, pool: undefined };
  } catch (error) {
    await pool?.close();
    if (signal?.aborted) throw error;
    warn(`${explain(error)} The trunk stays on the device.`);
    return { use: undefined, pool: undefined };
  }
}

const together = (runner: TrunkRunner, times: number, images: Float32Array, size: number): Promise<Float32Array[]> =>
  Promise.all(Array.from({ length: times }, () => runner.run(images, size)));
