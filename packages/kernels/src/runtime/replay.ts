/**
 * A recorded step made ready to run again and again: its tensors have places, its bind groups and parameters are made, and
 * a replay only encodes the list. Nothing of a replay is allocated.
 */
import { aligned, coalesce, type LayOut } from './coalesce.ts';
import { bufferUsage } from './constants.ts';
import { createBindGroup } from './bind-groups.ts';
import { ThawGpuError } from './errors.ts';
import type { Lifetime } from './memory-plan.ts';
import type { Limits } from './plan.ts';
import type { EncodedDispatch } from './encoded.ts';
import type { CommandQueue } from './queue.ts';
import { HostExchange } from './host-exchange.ts';
import { placeMarks, type PlacedMark } from './marks.ts';
import type { RecordedDispatch, Recording } from './recording.ts';
import type { Scratch } from './scratch.ts';
import { type BufferSlice } from './slice.ts';

/** Parameters of dispatch n stand at n SLOT_BYTES: what every device accepts as a dynamic offset. */
const SLOT_BYTES = 256;

export interface ReplayHost {
  readonly device: GPUDevice;
  readonly limits: Limits;
  readonly queue: CommandQueue;
  readonly scratch: Scratch;
  /** A buffer of its own. */
  acquire(size: number): BufferSlice;
  /** Moves tensors that live on into one arena, at multiples of `alignment`; undefined where another arena holds some of them. */
  gather(slices: readonly BufferSlice[], alignment: number): BufferSlice | undefined;
  /** Grows whenever a tensor was moved. */
  moves(): number;
  /** Told of each replay that was disposed. */
  disposed(replay: Replay): void;
}

export class Replay {
  readonly #host: ReplayHost;
  readonly #list: readonly RecordedDispatch[];
  readonly #held: readonly BufferSlice[];
  readonly #own: readonly BufferSlice[];
  /** Tensors that were there before the step, and must still be. */
  readonly #external: readonly BufferSlice[];
  readonly #params: GPUBuffer;
  readonly #marks: readonly PlacedMark[];
  /** Of each exchange among the marks. */
  readonly #exchanges: ReadonlyMap<PlacedMark['exchange'], HostExchange>;
  #encoded: readonly EncodedDispatch[] = [];
  #moves = -1;
  #isDisposed = false;

  /** Gives every tensor of the recording its place; nothing may be pending on the queue, as tensors are moved. @param outputs tensors that are read after a replay */
  static async compile(recording: Recording, outputs: readonly BufferSlice[], host: ReplayHost): Promise<Replay> {
    const members = new Map<BufferSlice, { arena: BufferSlice; offset: number }>();
    /** The part of an arena in which they lie side by side already. */
    const rangeOf: LayOut = (slices, alignment) => {
      const [first] = slices.flatMap((slice) => members.get(slice) ?? []);
      let offset = first?.offset ?? 0;
      const isLaidOut = slices.every((slice) => {
        const place = members.get(slice);
        const fits = place?.arena === first?.arena && place?.offset === offset;
        offset += aligned(slice.size, alignment);
        return fits;
      });
      if (!first || !isLaidOut) return undefined;
      const range = recording.allocate(offset - first.offset);
      members.set(range, first);
      return range;
    };
    const layOut: LayOut = (slices, alignment) => {
      if (slices.every(({ isPlaced }) => isPlaced)) return host.gather(slices, alignment);
      const inside = rangeOf(slices, alignment);
      if (inside) return inside;
      if (slices.some((slice) => slice.isPlaced || members.has(slice) || outputs.includes(slice))) return undefined;
      const arena = recording.allocate(slices.reduce((sum, { size }) => sum + aligned(size, alignment), 0));
      let offset = 0;
      for (const slice of slices) {
        members.set(slice, { arena, offset });
        offset += aligned(slice.size, alignment);
      }
      return arena;
    };
    const own: BufferSlice[] = [];
    const constant = (values: Uint32Array<ArrayBuffer>): BufferSlice => {
      const slice = host.acquire(values.byteLength);
      host.queue.upload(slice, values);
      own.push(slice);
      return slice;
    };
    try {
      const breaks = recording.marks.map(({ at }) => at);
      const coalesced = coalesce(recording.dispatches, host.limits, { layOut, constant }, breaks);
      const { list } = coalesced;
      const marks = placeMarks(recording.marks, coalesced, (slice) => members.get(slice));
      const external = [...new Set(list.flatMap(({ slices }) => slices.filter(({ isPlaced }) => isPlaced)))];
      const lifetimes = lifetimesOf(list, marks, (slice) => members.get(slice)?.arena ?? slice);
      for (const output of outputs) {
        if (output.isPlaced) continue;
        const place = host.acquire(output.size);
        own.push(place);
        output.move(place.buffer, 0, output.owner);
        lifetimes.delete(output);
      }
      const homes = host.scratch.place(lifetimes);
      for (const [slice, { arena, offset }] of members) slice.move(arena.buffer, arena.offset + offset, arena.owner);
      await host.queue.until(Promise.all(list.map(({ pipeline }) => pipeline.ready)));
      return new Replay(host, list, marks, recording.held, own, external, homes);
    } catch (error) {
      // No memory, most likely: what it took so far is free again.
      for (const slice of [...recording.held, ...own]) slice.release();
      throw error;
    }
  }

  private constructor(
    host: ReplayHost,
    list: readonly RecordedDispatch[],
    marks: readonly PlacedMark[],
    held: readonly BufferSlice[],
    own: readonly BufferSlice[],
    external: readonly BufferSlice[],
    private readonly homes: ReadonlySet<BufferSlice>,
  ) {
    this.#host = host;
    this.#list = list;
    this.#marks = marks;
    this.#exchanges = new Map(marks.map(({ exchange }) => [exchange, new HostExchange(host, exchange)]));
    this.#held = held;
    this.#own = own;
    this.#external = external.filter((slice) => !held.includes(slice));
    const bytes = new Uint8Array(Math.max(1, list.length) * SLOT_BYTES);
    list.forEach(({ params }, i) => {
      bytes.set(new Uint8Array(params), i * SLOT_BYTES);
    });
    this.#params = host.device.createBuffer({
      label: 'params',
      size: bytes.byteLength,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    host.device.queue.writeBuffer(this.#params, 0, bytes);
  }

  get dispatches(): number {
    return this.#list.length;
  }

  /** Records the step once more. @throws when a tensor that it uses was disposed, and where values go through the host in it */
  replay(): void {
    if (this.#marks.length > 0)
      throw new ThawGpuError('values go through the host in this captured step: await replayThroughHost()');
    this.#makeReady();
    this.#host.queue.replay(this.#encoded);
  }

  /**
   * Records the step once more, with the host's part in it. It resolves when all of it is submitted.
   * @throws what the host's part throws, and as replay does
   */
  async replayThroughHost(): Promise<void> {
    this.#makeReady();
    const { queue } = this.#host;
    let done = 0;
    let begun = Promise.resolve();
    const upTo = (end: number): void => {
      if (end > done) queue.replay(this.#encoded.slice(done, end));
      done = end;
    };
    try {
      for (const { kind, exchange, at } of this.#marks) {
        upTo(at);
        const through = this.#exchanges.get(exchange);
        if (!through) continue;
        if (kind === 'leave') {
          begun = through.leave(begun);
          // The step fails where what leaves should arrive.
          begun.catch(() => undefined);
        } else await through.arrive();
      }
    } catch (error) {
      await Promise.all([...this.#exchanges.values()].map((through) => through.abandoned()));
      throw error;
    }
    upTo(this.#encoded.length);
  }

  #makeReady(): void {
    if (this.#isDisposed) throw new ThawGpuError('a captured step was replayed after it was disposed');
    if (this.#external.some(({ isReleased }) => isReleased))
      throw new ThawGpuError('a captured step uses a tensor that was disposed or replaced since; capture it again');
    if (this.#moves !== this.#host.moves()) {
      this.#encoded = this.#list.map((dispatch, i) => this.#encode(dispatch, i));
      this.#moves = this.#host.moves();
    }
  }

  /** Gives the memory back; tensors that the step returned have no values after it. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#host.queue.flush();
    for (const slice of [...this.#held, ...this.#own]) slice.release();
    this.#host.scratch.leave(this.homes);
    this.#params.destroy();
    for (const exchange of this.#exchanges.values()) exchange.dispose();
    this.#encoded = [];
    this.#host.disposed(this);
  }

  #encode(recorded: RecordedDispatch, index: number): EncodedDispatch {
    const { pipeline, plan, slices } = recorded;
    const { shader, compiled } = pipeline;
    if (!compiled) throw new ThawGpuError(`${shader.name} was encoded before it was compiled`);
    return {
      of: recorded,
      pipeline: compiled,
      group: createBindGroup(this.#host.device, pipeline, slices, this.#params),
      offsets: shader.params.length > 0 ? [index * SLOT_BYTES] : [],
      workgroups: plan.workgroups,
    };
  }
}

/** From each unplaced tensor's first use to its last. */
function lifetimesOf(
  list: readonly RecordedDispatch[],
  marks: readonly PlacedMark[],
  rootOf: (slice: BufferSlice) => BufferSlice,
): Map<BufferSlice, Lifetime> {
  const lifetimes = new Map<BufferSlice, Lifetime>();
  const use = (slice: BufferSlice, i: number): void => {
    if (slice.isPlaced) return;
    const root = rootOf(slice);
    const { first = i, last = i } = lifetimes.get(root) ?? {};
    lifetimes.set(root, { size: root.size, first: Math.min(first, i), last: Math.max(last, i) });
  };
  list.forEach(({ slices }, i) => {
    for (const slice of slices) use(slice, i);
  });
  for (const { kind, exchange, at } of marks)
    for (const slice of kind === 'leave' ? exchange.from : exchange.into) use(slice, at);
  return lifetimes;
}
