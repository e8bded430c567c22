// The trunk on tfjs-wasm, one thread a core: TensorFlow.js's WebAssembly backend computes on one thread in Node, so each of
// several threads has an instance of its own and takes whole batches.
import { Piscina } from 'piscina';
import type { Architecture, TrunkFeatures, TrunkRunner, TrunkWeights } from '@thaw/model';
import { CommandError, explain } from '../errors.ts';
import { shareWeights, type SharedWeights } from './shared-weights.ts';

/** Features as threads can be told of them. */
export interface PoolFeatures extends Omit<TrunkFeatures, 'network'> {
  readonly weights: TrunkWeights;
  readonly architecture: Architecture;
}

/** What a thread starts with. */
export interface ThreadData extends Omit<PoolFeatures, 'weights'> {
  readonly weights: SharedWeights;
}

export interface ThreadTask {
  /** [size, height, width, 3] */
  readonly images: Float32Array;
  readonly size: number;
}

const WORKER = new URL('./trunk.worker.js', import.meta.url);

export class WasmPool implements TrunkRunner {
  readonly width: number;
  /** A batch in work and one waiting for each thread. */
  readonly inFlight: number;
  readonly #pool: Piscina<ThreadTask, Float32Array>;
  readonly #stop = (): void => void this.close();
  #failure: CommandError | undefined;

  private constructor(
    data: ThreadData,
    readonly threads: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.width = data.width;
    this.inFlight = 2 * threads;
    this.#pool = new Piscina({
      filename: WORKER.href,
      minThreads: threads,
      maxThreads: threads,
      // The one that waits lies with the thread, which need not wait for this one to hand it over.
      concurrentTasksPerWorker: 2,
      workerData: data,
    });
    // A thread that fails while it has no batch.
    this.#pool.on('error', (error: unknown) => this.#fail(error));
    signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /**
   * Starts the threads and waits until they compute.
   * @param signal drops what is in work; every run rejects from then on
   * @throws CommandError where a thread does not start
   */
  static async start(features: PoolFeatures, threads: number, signal?: AbortSignal): Promise<WasmPool> {
    const { weights, imageSize } = features;
    const pool = new WasmPool({ ...features, weights: shareWeights(weights) }, threads, signal);
    try {
      const zeros = new Float32Array(imageSize * imageSize * 3);
      await Promise.all(Array.from({ length: threads }, () => pool.run(zeros, 1)));
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** @throws CommandError where the thread fails, and from then on */
  async run(images: Float32Array, size: number): Promise<Float32Array> {
    if (this.#failure) throw this.#failure;
    try {
      return await this.#pool.run({ images, size });
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** The threads stay for the next pass; `close` ends them. */
  dispose(): void {
    return;
  }

  /** Ends the threads; what they have in work rejects. */
  async close(): Promise<void> {
    this.signal?.removeEventListener('abort', this.#stop);
    this.#failure ??= new CommandError('The threads of tfjs-wasm have ended.');
    await this.#pool.destroy();
  }

  #fail(error: unknown): CommandError {
    this.#failure ??= new CommandError(
      `A thread of tfjs-wasm failed: ${explain(error).replace(/\.?$/, '.')} A smaller --batch-size takes less memory; --trunk device does without these threads.`,
      { cause: error },
    );
    return this.#failure;
  }
}
