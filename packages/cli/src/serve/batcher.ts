// Gathers what comes in while the device is busy: the next pass takes all that waits, up to a full batch.

/** No room for another image: come back later. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

export interface BatcherOptions {
  /** Images in a pass at most. */
  readonly batchSize: number;
  /** Images that may wait, those in the pass not counted. */
  readonly maxWaiting: number;
  /** One pass. @param images of all in order; @returns as many values for each */
  readonly run: (images: Float32Array, size: number) => Promise<Float32Array>;
  /** Told of each pass. */
  readonly onBatch?: (size: number) => void;
}

interface Waiting {
  readonly image: Float32Array;
  readonly resolve: (values: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Waiting[] = [];
  #pass: Promise<void> | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Images that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** @returns the values of this image; @throws BusyError where too many wait, and whatever its pass failed with */
  submit(image: Float32Array): Promise<Float32Array> {
    if (this.#queue.length >= this.#options.maxWaiting)
      return Promise.reject(new BusyError(`${this.#queue.length} images wait already`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ image, resolve, reject });
      this.#pass ??= this.#runAll();
    });
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    while (this.#pass) await this.#pass;
  }

  async #runAll(): Promise<void> {
    // What arrives in the same turn goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#runBatch(this.#queue.splice(0, this.#options.batchSize));
    this.#pass = undefined;
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const { run, onBatch } = this.#options;
    try {
      onBatch?.(batch.length);
      const [first] = batch;
      const width = first?.image.length ?? 0;
      const images = new Float32Array(batch.length * width);
      for (const [i, { image }] of batch.entries()) images.set(image, i * width);
      const values = await run(images, batch.length);
      const each = values.length / batch.length;
      for (const [i, { resolve }] of batch.entries()) resolve(values.slice(i * each, (i + 1) * each));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
