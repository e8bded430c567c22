// Who runs a trunk that nothing trains in: the device, or tfjs-wasm on all cores where there is no GPU and a measurement shows
// it to be faster. One for a command: it measures once, and ends the threads at the end.
import { availableParallelism, freemem } from 'node:os';
import { BackendRunner, type OnSmallerBatch, type TrunkFeatures, type TrunkRunner } from '@thaw/model';
import { UsageError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import type { OpenBackend } from '../session/backend.ts';
import { tellSmallerBatches } from '../session/smaller-batches.ts';
import { trunkText } from '../text/trunk.ts';
import { measuredImages, paysToMeasure, threadsThatFit, type TrunkUse } from './choose.ts';
import { measureTrunk, type Pool } from './measure.ts';

export interface TrunkOptions {
  readonly settings: Pick<Settings, 'trunk' | 'backend'> & Pick<SomeSettings, 'adapter'>;
  readonly backend: OpenBackend;
  readonly output: Output;
  readonly signal?: AbortSignal | undefined;
  /** Of those that share the images; default one. */
  readonly ranks?: number | undefined;
}

export interface PassOptions {
  /** Images of this pass and of those after it; this pass alone by default. */
  readonly ahead?: number | undefined;
  /** Told what runs it, where that was measured or asked for. */
  readonly onUse?: ((use: TrunkUse) => void | Promise<void>) | undefined;
}

export class Trunk {
  readonly #options: TrunkOptions;
  /** Set once it is decided; `use` is what there is to say of it. */
  #decided: { readonly use: TrunkUse | undefined } | undefined;
  #open: { readonly key: string; readonly pool: Pool } | undefined;

  /** Of the device. */
  readonly onSmallerBatch: OnSmallerBatch;

  constructor(options: TrunkOptions) {
    this.#options = options;
    this.onSmallerBatch = tellSmallerBatches(options.output);
  }

  /** Whether the trunk may run elsewhere than on the device, if that is asked for or pays. */
  get mayLeave(): boolean {
    const { settings, backend, ranks = 1 } = this.#options;
    if (settings.trunk !== 'auto') return settings.trunk === 'wasm';
    // Ranks are what uses all cores there, and each of them has to compute alike.
    if (!backend.info.isSoftware || ranks > 1) return false;
    // A person who named a backend or an adapter gets it; WebAssembly on more threads is what was named.
    return backend.info.backend === 'wasm' || (settings.backend === 'auto' && settings.adapter === undefined);
  }

  /** What runs one pass over images. Its caller disposes of it; the threads end with `close`. */
  runner(features: TrunkFeatures, options: PassOptions = {}): TrunkRunner {
    return new Pass(this, features, options);
  }

  /** Ends the threads. What was measured is kept. */
  async close(): Promise<void> {
    await this.#open?.pool.close();
    this.#open = undefined;
  }

  /**
   * What is known without a measurement; undefined where one pays.
   * @param ahead images to come
   * @throws UsageError where a trunk in mixed precision is to run on tfjs-wasm, which has no float16
   */
  async known(features: TrunkFeatures, batchSize: number, ahead: number): Promise<Choice | undefined> {
    const { settings, backend } = this.#options;
    if (features.network.precision === 'mixed') {
      if (settings.trunk !== 'wasm') return {};
      throw new UsageError('--trunk wasm: WebAssembly has no float16, and this trunk is in mixed precision; use --precision float32.'); // prettier-ignore
    }
    const threads = this.#threads(features, batchSize, ahead);
    if (settings.trunk === 'wasm') this.#decide({ engine: 'wasm', threads: Math.max(1, threads) });
    if (this.#decided) {
      const { use } = this.#decided;
      return use?.engine === 'wasm' ? { use, pool: await this.#pool(features, use.threads ?? 1) } : { use };
    }
    const pays = this.mayLeave && paysToMeasure(ahead, batchSize, features.imageSize);
    // On WebAssembly already, one thread is what there is.
    return pays && threads >= (backend.info.backend === 'wasm' ? 2 : 1) ? undefined : {};
  }

  /** Measures the device and tfjs-wasm on the first images of a batch. */
  async measure(
    features: TrunkFeatures,
    device: TrunkRunner,
    { images, size, batchSize, ahead }: FirstBatch,
  ): Promise<Choice> {
    const { output, signal } = this.#options;
    const measured = Math.min(size, measuredImages(batchSize, features.imageSize));
    const choice = await measureTrunk({
      device,
      openPool: () => this.#pool(features, this.#threads(features, batchSize, ahead)),
      images: images.slice(0, measured * features.imageSize ** 2 * 3),
      size: measured,
      ahead,
      signal,
      warn: (reason) => output.warn(reason),
    });
    if (!choice.pool) this.#open = undefined;
    this.#decide(choice.use);
    return choice;
  }

  #threads({ imageSize }: TrunkFeatures, batchSize: number, ahead: number): number {
    const limit = process.constrainedMemory();
    const left = limit ? limit - process.memoryUsage.rss() : Infinity;
    return threadsThatFit({
      cores: availableParallelism(),
      freeBytes: Math.min(freemem(), left),
      batches: Math.ceil(ahead / batchSize),
      batchSize,
      imageSize,
    });
  }

  #decide(use: TrunkUse | undefined): void {
    if (this.#decided) return;
    this.#decided = { use };
    if (!use) return;
    const { output, backend } = this.#options;
    output.event('trunk', { ...use });
    output.say(`features: ${trunkText(use, backend.info.name)}`);
  }

  /** The pool for these features: the one that is open, or a new one. */
  async #pool({ network, ...features }: TrunkFeatures, threads: number): Promise<Pool> {
    const weights = await network.exportWeights();
    const key = JSON.stringify([weights.hash, features]);
    if (this.#open?.key !== key) {
      await this.close();
      const { WasmPool } = await import('./pool.ts');
      const { architecture } = network;
      const pool = await WasmPool.start({ weights, architecture, ...features }, threads, this.#options.signal);
      this.#open = { key, pool };
    }
    return this.#open.pool;
  }
}

/** What runs a pass: the pool, or without one the device; `use` is what there is to say of it. */
interface Choice {
  readonly use?: TrunkUse | undefined;
  readonly pool?: Pool | undefined;
}

interface FirstBatch {
  /** [size, height, width, 3] */
  readonly images: Float32Array;
  readonly size: number;
  /** Of the batches to come. */
  readonly batchSize: number;
  /** Images to come. */
  readonly ahead: number;
}

/** One pass: decides before its first batch, or with it. */
class Pass implements TrunkRunner {
  readonly #device: BackendRunner;
  #runner: TrunkRunner | undefined;
  #batchSize = 1;
  #ahead = 0;

  constructor(
    private readonly trunk: Trunk,
    private readonly features: TrunkFeatures,
    private readonly options: PassOptions,
  ) {
    this.#device = new BackendRunner(features, trunk.onSmallerBatch);
  }

  get width(): number {
    return this.features.width;
  }

  get inFlight(): number {
    return this.#runner?.inFlight ?? 1;
  }

  async prepare(batchSize: number, images: number): Promise<void> {
    this.#batchSize = batchSize;
    this.#ahead = this.options.ahead ?? images;
    const choice = await this.trunk.known(this.features, batchSize, this.#ahead);
    if (choice) await this.#settle(choice);
    if (!choice?.pool) await this.#device.prepare(batchSize, images);
  }

  async run(images: Float32Array, size: number): Promise<Float32Array> {
    const first = { images, size, batchSize: this.#batchSize, ahead: this.#ahead };
    this.#runner ??= await this.#settle(await this.trunk.measure(this.features, this.#device, first));
    return this.#runner.run(images, size);
  }

  dispose(): void {
    this.#device.dispose();
  }

  async #settle({ use, pool }: Choice): Promise<TrunkRunner> {
    if (use) await this.options.onUse?.(use);
    if (pool) this.#device.dispose();
    return (this.#runner = pool ?? this.#device);
  }
}
