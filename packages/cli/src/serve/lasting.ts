// A model whose device may be lost: a new one is opened and the pass that failed runs again; meanwhile requests wait.
import { explain } from '../errors.ts';
import type { Output } from '../output.ts';
import { lossOf, openAgain, type MayBeLost } from '../session/lost-device.ts';

/** There is no device to answer with: come back later. */
export class NoDeviceError extends Error {
  override readonly name = 'NoDeviceError';
}

/** A model on a device. */
export interface OpenedModel {
  readonly backend: MayBeLost;
  /** @param images [size, imageSize, imageSize, 3], preprocessed; @returns probabilities [size, classes] */
  run(images: Float32Array, size: number): Promise<Float32Array>;
  /** Frees it and closes its device. */
  close(): void;
}

/** Devices that one pass may lose before its requests are refused. */
const MOST = 2;

export interface LastingOptions {
  readonly open: () => Promise<OpenedModel>;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Milliseconds before each try at a new device. */
  readonly pauses?: readonly number[];
}

export class LastingModel {
  readonly #options: LastingOptions;
  #model: OpenedModel | undefined;
  #opening: Promise<OpenedModel> | undefined;

  constructor(model: OpenedModel, options: LastingOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** Whether there is a device; where not, a new one is being opened from now on. */
  isReady(): boolean {
    if (this.#model && this.#model.backend.lost() === undefined) return true;
    this.#ready().catch(() => undefined);
    return false;
  }

  /** One pass, as OpenedModel.run; one at a time. @throws NoDeviceError where there is no device to be had now */
  async run(images: Float32Array, size: number): Promise<Float32Array> {
    for (let losses = 0; ;) {
      const model = await this.#ready();
      try {
        return await model.run(images, size);
      } catch (error) {
        const reason = await lossOf(error, model.backend);
        if (reason === undefined) throw error;
        if (++losses >= MOST)
          throw new NoDeviceError(`the device was lost ${losses} times at these images (${reason})`, { cause: error });
      }
    }
  }

  async #ready(): Promise<OpenedModel> {
    const reason = this.#model?.backend.lost();
    if (this.#model && reason === undefined) return this.#model;
    if (!this.#opening) {
      const { output } = this.#options;
      if (reason !== undefined) {
        output.warn(`The device was lost (${reason}). A new one is opened; requests wait for it.`);
        output.event('device-lost', { reason });
      }
      this.close();
      this.#opening = this.#open().finally(() => (this.#opening = undefined));
    }
    return this.#opening;
  }

  async #open(): Promise<OpenedModel> {
    const { open, output, signal, pauses } = this.#options;
    try {
      this.#model = await openAgain(open, signal, pauses);
    } catch (error) {
      throw new NoDeviceError(explain(error), { cause: error });
    }
    output.say('There is a device again.');
    return this.#model;
  }

  close(): void {
    this.#model?.close();
    this.#model = undefined;
  }
}
