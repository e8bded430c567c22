/** An exchange of a recorded step made ready: its buffers on the host and the ranges of the device that they stand for. */
import { bufferUsage } from './constants.ts';
import { layOutOnHost, type HostLayout } from './host-layout.ts';
import type { CommandQueue } from './queue.ts';
import type { Exchange } from './recording.ts';

export interface ExchangeHost {
  readonly device: GPUDevice;
  readonly queue: CommandQueue;
  /** Grows whenever a tensor was moved. */
  moves(): number;
}

/** Everything is made once: a replay copies, maps, and writes back. */
export class HostExchange {
  #from: HostLayout | undefined;
  #into: HostLayout | undefined;
  #moves = -1;
  #staging: GPUBuffer | undefined;
  #result: ArrayBuffer | undefined;
  #swapped: Promise<void> | undefined;

  constructor(
    private readonly host: ExchangeHost,
    private readonly exchange: Exchange,
  ) {}

  /**
   * The values leave: submitted with what was recorded before, without waiting.
   * @param before when the exchange before this one has been begun: buffers are not always mapped in their order
   * @returns when this one has been begun
   */
  leave(before: Promise<void>): Promise<void> {
    const { device, queue } = this.host;
    this.#layOut();
    const { ranges, bytes } = this.#from ?? { ranges: [], bytes: 0 };
    const staging = (this.#staging ??= device.createBuffer({
      label: 'exchange',
      size: bytes,
      usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
    }));
    for (const { slice, at } of ranges) queue.copy(slice, staging, at);
    const result = (this.#result ??= new ArrayBuffer(this.#into?.bytes ?? 0));
    return new Promise((begun, failed) => {
      const swapped = queue.mapped(staging, bytes, async (given) => {
        await before;
        const done = this.exchange.swap(given, result);
        begun();
        await done;
      });
      this.#swapped = swapped;
      // Awaited in arrive(); until then a failure must not count as unhandled.
      swapped.catch(failed);
    });
  }

  /** Waits for the host's part and writes what came of it. */
  async arrive(): Promise<void> {
    await this.#swapped;
    this.#swapped = undefined;
    const { queue } = this.host;
    const result = this.#result;
    if (!result) return;
    for (const { slice, at } of this.#into?.ranges ?? []) queue.upload(slice, new Uint8Array(result, at, slice.size));
  }

  /** When what is under way has ended, well or not. */
  async abandoned(): Promise<void> {
    await this.#swapped?.catch(() => undefined);
    this.#swapped = undefined;
  }

  dispose(): void {
    this.#staging?.destroy();
  }

  #layOut(): void {
    if (this.#moves === this.host.moves()) return;
    this.#moves = this.host.moves();
    const before = [this.#from?.bytes, this.#into?.bytes];
    this.#from = layOutOnHost(this.exchange.from);
    this.#into = layOutOnHost(this.exchange.into);
    if (before[0] !== this.#from.bytes) {
      this.#staging?.destroy();
      this.#staging = undefined;
    }
    if (before[1] !== this.#into.bytes) this.#result = undefined;
  }
}
