// A forward pass on batches of host data, captured and replayed where the backend can.
import { canCapture, capture, type CapturedStep } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { BatchInput, inputTensor, type InputBatch, type InputFormat } from './batch-input.ts';

interface Captured {
  readonly x: BatchInput;
  readonly output: tf.Tensor;
  readonly step: CapturedStep;
}

/** Fewer batches than this are not worth a capture. */
const LEAST_BATCHES = 3;

/** A forward pass on batches of host data; where the backend can, it is captured once and replayed. */
export class Inference {
  readonly #captured = new Map<number, Captured>();

  /** @param forward gives one new tensor */
  constructor(
    private readonly format: InputFormat,
    private readonly forward: (x: tf.Tensor) => tf.Tensor,
  ) {}

  /** Captures the pass of this batch size, where the backend can and `images` are enough to make up for it. */
  async prepare(size: number, images: number): Promise<void> {
    if (!canCapture() || this.#captured.has(size) || images < LEAST_BATCHES * size) return;
    const x = new BatchInput(size, this.format);
    const outputs: tf.Tensor[] = [];
    const step = await capture(() => {
      outputs.push(tf.keep(tf.tidy(() => this.forward(x.read()))));
      return outputs;
    });
    const [output] = outputs;
    if (output) this.#captured.set(size, { x, output, step });
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

  /** Frees what was captured. */
  dispose(): void {
    for (const { x, output, step } of this.#captured.values()) {
      step.dispose();
      output.dispose();
      x.dispose();
    }
    this.#captured.clear();
  }
}
