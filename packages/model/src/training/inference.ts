// A forward pass on batches of host data, captured and replayed where the backend can; in pieces where there is no memory for a
// whole batch.
import { canCapture, capture, OutOfMemoryError, type CapturedStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { BatchInput, inputTensor, type InputBatch, type InputFormat } from './batch-input.ts';
import { BatchTooLargeError } from './step.ts';

interface Captured {
  readonly x: BatchInput;
  readonly output: tf.Tensor;
  readonly step: CapturedStep;
}

/** Told of the images that there is memory for at a time, where those of a batch are more. */
export type OnSmallerBatch = (size: number) => void;

/** Fewer batches than this are not worth a capture. */
const LEAST_BATCHES = 3;

/** A forward pass on batches of host data; where the backend can, it is captured once and replayed. */
export class Inference {
  readonly #captured = new Map<number, Captured>();
  /** Images at a time, after there was no memory for more. */
  #most = Infinity;
  #told = Infinity;
  /** Settles with every pass that has begun. */
  #begun: Promise<unknown> = Promise.resolve();
  /** Settles with every piece of a batch: they run one after the other. */
  #pieces: Promise<unknown> = Promise.resolve();

  /**
   * @param forward gives one new tensor, a row of each image
   * @param onSmaller told when batches run in pieces, of how many images
   */
  constructor(
    private readonly format: InputFormat,
    private readonly forward: (x: tf.Tensor) => tf.Tensor,
    private readonly onSmaller?: OnSmallerBatch,
  ) {}

  /**
   * Captures the pass of this batch size, where the backend can and `images` are enough to make up for it; of half of it, a quarter,
   * ... where there is no memory for that. @throws BatchTooLargeError where there is none for one image
   */
  async prepare(size: number, images: number): Promise<void> {
    if (!canCapture() || this.#captured.has(size) || images < LEAST_BATCHES * size) return;
    for (let fits = Math.min(size, this.#most); ; fits = this.#most)
      try {
        return await this.#capture(fits);
      } catch (error) {
        this.#halve(fits, error);
      }
  }

  async #capture(size: number): Promise<void> {
    const x = new BatchInput(size, this.format);
    const outputs: tf.Tensor[] = [];
    try {
      const step = await capture(() => {
        outputs.push(tf.keep(tf.tidy(() => this.forward(x.read()))));
        return outputs;
      });
      const [output] = outputs;
      if (output) this.#captured.set(size, { x, output, step });
    } catch (error) {
      tf.dispose(outputs);
      x.dispose();
      throw error;
    }
  }

  /** @returns the result, the caller's to dispose; ask for its data before the next run, which may overwrite it */
  run(batch: InputBatch, size: number): tf.Tensor {
    const captured = this.#captured.get(size);
    if (captured) {
      captured.x.set(batch);
      captured.step.replay();
      return tf.clone(captured.output);
    }
    return tf.tidy(() => this.forward(inputTensor(batch, this.format, size)));
  }

  /**
   * The result's values; several may be under way. Where there is no memory for the batch, it is halved until there is.
   * @throws BatchTooLargeError where there is none for one image
   */
  async values(batch: InputBatch, size: number): Promise<Float32Array> {
    const most = this.#most;
    if (size > most) return this.#inPieces(batch, size);
    const before = this.#begun;
    const pass = this.#read(batch, size);
    this.#begun = Promise.allSettled([before, pass]);
    const [, result] = await Promise.allSettled([before, pass]);
    // A device tells of a failure once, and maybe to another pass: what was under way then is not to be trusted.
    if (this.#most < most) return this.#inPieces(batch, size);
    if (result.status === 'fulfilled') return result.value;
    this.#halve(size, result.reason);
    return this.#inPieces(batch, size);
  }

  async #read(batch: InputBatch, size: number): Promise<Float32Array> {
    const result = this.run(batch, size);
    try {
      return await result.data<'float32'>();
    } finally {
      result.dispose();
    }
  }

  #inPieces(batch: InputBatch, size: number): Promise<Float32Array> {
    const begun = this.#begun;
    const all = this.#pieces.then(async () => {
      await begun;
      const parts: Float32Array[] = [];
      for (let from = 0; from < size;) {
        const rows = Math.min(this.#most, size - from);
        try {
          parts.push(Float32Array.from(await this.#read(this.#part(batch, from, rows), rows)));
          from += rows;
          this.#tell();
        } catch (error) {
          this.#halve(rows, error);
        }
      }
      return joined(parts);
    });
    this.#pieces = all.catch(() => undefined);
    return all;
  }

  #part({ values, views }: InputBatch, from: number, rows: number): InputBatch {
    const width = this.format.shape.reduce((product, length) => product * length, 1);
    return { values: values.subarray(from * width, (from + rows) * width), views: views?.slice(from, from + rows) };
  }

  /** @throws `error` where that is no lack of memory; BatchTooLargeError where one image is too many */
  #halve(size: number, error: unknown): void {
    if (!(error instanceof OutOfMemoryError)) throw error;
    if (size <= 1)
      throw new BatchTooLargeError(`Not even one image of ${this.format.views?.side ?? this.format.shape[0]} pixels fits into the device's memory (${error.message}).`, { cause: error }); // prettier-ignore
    if (size > this.#most) return;
    this.#most = Math.floor(size / 2);
    for (const [held, one] of this.#captured) if (held > this.#most) this.#free(held, one);
  }

  #tell(): void {
    if (this.#told === this.#most) return;
    this.#told = this.#most;
    this.onSmaller?.(this.#most);
  }

  #free(size: number, { step, output, x }: Captured): void {
    step.dispose();
    output.dispose();
    x.dispose();
    this.#captured.delete(size);
  }

  /** Frees what was captured. */
  dispose(): void {
    for (const [size, one] of this.#captured) this.#free(size, one);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
