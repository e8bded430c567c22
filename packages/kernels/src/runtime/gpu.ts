/** The runtime of one device: buffers, pipelines and the queue, behind one door. */
import { defaultTilings, type DeviceKind, type TiledKernel, type Tiling, type Tilings } from '../tuning/tilings.ts';
import { chosenTiling, TUNED_KERNELS, type Choice, type Choices, type TunedKernel } from '../tuning/tuned.ts';
import { BufferPool, type MemoryReport } from './buffer-pool.ts';
import { bufferUsage } from './constants.ts';
import { deviceKind } from './device.ts';
import { ThawGpuError } from './errors.ts';
import { PipelineCache } from './pipelines.ts';
import { bytesOf, elements, type DeviceType, type Plan } from './plan.ts';
import type { LayerPass } from './profile.ts';
import { CommandQueue } from './queue.ts';
import { Recording, type Exchange } from './recording.ts';
import { Replay } from './replay.ts';
import { Scratch } from './scratch.ts';
import { BufferSlice, type SliceOwner } from './slice.ts';
import { aligned } from './coalesce.ts';

/** How the runtime of a device works. */
export interface GpuOptions {
  /** Free buffers kept for reuse, in bytes. Default 1 GiB. */
  readonly maxPooledBytes?: number;
  /** Device memory that is taken at most, in bytes. Default: what the device gives. */
  readonly maxBytes?: number;
  /** Register tilings by kernel. Default: chosen for the kind of device. */
  readonly tilings?: Tilings;
  /** Tilings by bucket, over those. register() gives those that come with the package for the device, where it is given neither. */
  readonly choices?: readonly Choices[];
}

/** Whole vectors of four numbers, and a multiple of 16 bytes. */
const storageSize = (shape: readonly number[], type: DeviceType): number =>
  Math.max(16, Math.ceil((Math.ceil(elements(shape) / 4) * 4 * bytesOf(type)) / 16) * 16);

export class Gpu {
  readonly queue: CommandQueue;
  readonly pipelines: PipelineCache;
  readonly #pool: BufferPool;
  #kind: DeviceKind;
  #tilings: Tilings;
  /** By kernel and bucket: what came with the device, and what was tuned since. */
  readonly #given = new Map<string, Tiling>();
  readonly #tuned = new Map<string, Tiling>();
  readonly #owner: SliceOwner = { release: ({ buffer }) => this.#pool.release(buffer) };
  readonly #scratch = new Scratch((size) => this.#acquire(size));
  #recording: Recording | undefined;
  /** What dispatches come from now. */
  #from: LayerPass | undefined;
  #moves = 0;
  readonly #replays = new Set<Replay>();
  isDisposed = false;

  constructor(
    readonly device: GPUDevice,
    { maxPooledBytes = 2 ** 30, maxBytes = Infinity, tilings, choices = [] }: GpuOptions = {},
  ) {
    this.#kind = deviceKind(device);
    this.#tilings = tilings ?? defaultTilings(this.kind, device.limits);
    for (const one of choices) this.#take(one, this.#given);
    this.queue = new CommandQueue(device, this.kind.isSoftware);
    this.pipelines = PipelineCache.of(device);
    this.#pool = new BufferPool(
      device,
      bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST,
      maxPooledBytes,
      maxBytes,
      () => this.queue.letGo(),
      (failure, explain) => this.queue.watch(failure, explain),
    );
  }

  /** What tilings are chosen by. */
  get kind(): DeviceKind {
    return this.#kind;
  }

  /** Plans made from now on use no matrix unit, tuned ones neither. */
  dropMatrixUnit(): void {
    this.#kind = { ...this.#kind, matrixUnit: undefined };
    const without = ({ matrix: _, ...rest }: Tiling): Tiling => rest;
    this.#tilings = Object.fromEntries(Object.entries(this.#tilings).map(([kernel, one]) => [kernel, without(one)]));
    for (const found of [this.#given, this.#tuned])
      for (const [bucket, { matrix }] of found) if (matrix) found.delete(bucket);
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** The tiling to plan `kernel` with on this device: of the first bucket for which one was found, or the default. */
  tiling(kernel: TiledKernel, ...buckets: readonly string[]): Tiling {
    for (const bucket of buckets) {
      const key = `${kernel} ${bucket}`;
      const found = this.#tuned.get(key) ?? this.#given.get(key);
      if (found) return found;
    }
    return this.#tilings[kernel] ?? {};
  }

  /** Takes tilings that were measured; plans made from now on use them. */
  tune(choices: Choices): void {
    this.#take(choices, this.#tuned);
  }

  /** Sets one bucket's tiling; undefined is that which it had untuned. */
  choose(kernel: TunedKernel, bucket: string, choice: Choice | undefined): void {
    if (choice) this.tune({ [kernel]: { [bucket]: choice } });
    else this.#tuned.delete(`${kernel} ${bucket}`);
  }

  #take(choices: Choices, into: Map<string, Tiling>): void {
    for (const kernel of TUNED_KERNELS)
      for (const [bucket, choice] of Object.entries(choices[kernel] ?? {}))
        into.set(`${kernel} ${bucket}`, chosenTiling(this.#tilings[kernel] ?? {}, choice));
  }

  /** Storage for a tensor that a dispatch makes; its size is rounded up so that vec4 shaders may bind it. */
  allocate(shape: readonly number[], type: DeviceType = 'float32'): BufferSlice {
    const size = storageSize(shape, type);
    return this.#recording?.allocate(size) ?? this.#acquire(size);
  }

  /** Storage for host values, which has its place also while a step is recorded. */
  allocatePlaced(shape: readonly number[]): BufferSlice {
    return this.#acquire(storageSize(shape, 'float32'));
  }

  release(slice: BufferSlice): void {
    if (this.#recording) this.#recording.release(slice);
    else slice.release();
  }

  #acquire(size: number): BufferSlice {
    return new BufferSlice(this.#pool.acquire(size), 0, size, this.#owner);
  }

  /**
   * Records a plan. `given` holds the buffers of the inputs, and of read_write bindings the plan does not create.
   * A `read` binding left out of `given` is one that the plan's constants switch off; another input stands in for it.
   * @returns the slices of the plan's outputs, owned by the caller.
   */
  run(plan: Plan, given: Readonly<Record<string, BufferSlice | undefined>>): Record<string, BufferSlice> {
    const outputs: Record<string, BufferSlice> = {};
    for (const name in plan.outputs) {
      const spec = plan.outputs[name];
      if (spec) outputs[name] = this.allocate(spec.shape, spec.dtype);
    }
    const { bindings } = plan.shader;
    const anyInput = bindings.flatMap(({ name, type }) => (type === 'read' ? (given[name] ?? []) : []))[0];
    const slices: BufferSlice[] = [];
    for (const { name, type } of bindings) {
      if (type === 'uniform') continue;
      const slice = outputs[name] ?? given[name] ?? (type === 'read' ? anyInput : undefined);
      if (!slice) throw new ThawGpuError(`${plan.shader.name}: no buffer was given for '${name}'`);
      slices.push(slice);
    }
    // Nothing to compute for an empty tensor; Dawn would print a warning.
    if (!plan.workgroups.includes(0))
      (this.#recording ?? this.queue).dispatch(this.pipelines.get(plan), plan, slices, this.#from);
    return outputs;
  }

  /** Runs `compute`, whose dispatches come from there. */
  within<T>(from: LayerPass, compute: () => T): T {
    const before = this.#from;
    this.#from = from;
    try {
      return compute();
    } finally {
      this.#from = before;
    }
  }

  /** Runs `step` without the device: what it dispatches is recorded. @throws inside another recording */
  record<T>(step: () => T): { recording: Recording; result: T } {
    if (this.#recording) throw new ThawGpuError('a step cannot be captured inside another');
    const recording = new Recording();
    this.#recording = recording;
    try {
      return { recording, result: step() };
    } catch (error) {
      this.#recording = undefined;
      this.discard(recording);
      throw error;
    } finally {
      this.#recording = undefined;
    }
  }

  /** Marks where values leave the step that is recorded; call what comes back where they arrive. @throws outside a recording */
  exchange(exchange: Exchange): () => void {
    const recording = this.#recording;
    if (!recording) throw new ThawGpuError('values go through the host inside captured steps alone');
    recording.mark('leave', exchange);
    return () => {
      recording.mark('arrive', exchange);
    };
  }

  get isRecording(): boolean {
    return this.#recording !== undefined;
  }

  /** Frees what a recording holds that is not to be compiled. */
  discard(recording: Recording): void {
    for (const slice of recording.held) slice.release();
  }

  /** Gives a recording its memory and compiles its pipelines. @param outputs tensors that are read after a replay */
  async compile(recording: Recording, outputs: readonly BufferSlice[]): Promise<Replay> {
    // What eager work left behind makes room for the step's own buffers.
    await this.queue.settle(0);
    this.#pool.drain();
    const replay = await Replay.compile(recording, outputs, {
      device: this.device,
      limits: this.limits,
      queue: this.queue,
      scratch: this.#scratch,
      acquire: (size) => this.#acquire(size),
      gather: (slices, alignment) => this.#gather(slices, alignment),
      moves: () => this.#moves,
      disposed: (gone) => this.#replays.delete(gone),
    });
    this.#replays.add(replay);
    return replay;
  }

  #gather(slices: readonly BufferSlice[], alignment: number): BufferSlice | undefined {
    const [first] = slices;
    if (!first) return undefined;
    const size = slices.reduce((sum, slice) => sum + aligned(slice.size, alignment), 0);
    let offset = first.offset;
    const isLaidOut = slices.every((slice) => {
      const fits = slice.buffer === first.buffer && slice.offset === offset;
      offset += aligned(slice.size, alignment);
      return fits;
    });
    if (isLaidOut && first.owner !== this.#owner) return new BufferSlice(first.buffer, first.offset, size, first.owner);
    if (slices.some(({ owner }) => owner !== this.#owner)) return undefined;
    const whole = this.#acquire(size);
    let left = slices.length;
    const arena: SliceOwner = {
      release: () => {
        if (--left === 0) whole.release();
      },
    };
    let at = 0;
    for (const slice of slices) {
      this.queue.copy(new BufferSlice(slice.buffer, slice.offset, slice.size, slice.owner), whole.buffer, at);
      const before = slice.buffer;
      slice.move(whole.buffer, at, arena);
      this.#pool.release(before);
      at += aligned(slice.size, alignment);
    }
    // Sizes of single tensors are not those of arenas: nobody would take these buffers again.
    this.#pool.drain();
    this.#moves++;
    return whole;
  }

  memory(): MemoryReport {
    return this.#pool.report();
  }

  /** Gives free buffers back to the driver. */
  trim(): void {
    this.#pool.trim();
  }

  /**
   * Submits what is recorded and destroys every buffer, also those that tensors and captured steps hold: using them throws a
   * DisposedError from now on. The device stays open: who opened it destroys it.
   */
  dispose(): void {
    this.isDisposed = true;
    this.queue.dispose();
    for (const replay of this.#replays) replay.dispose();
    this.#pool.dispose();
  }
}
