/** The runtime of one device: buffers, pipelines and the queue, behind one door. */
import { defaultTilings, type TiledKernel, type Tiling, type Tilings } from '../tuning/tilings.ts';
import { BufferPool, type MemoryReport } from './buffer-pool.ts';
import { bufferUsage } from './constants.ts';
import { deviceKind } from './device.ts';
import { ThawGpuError } from './errors.ts';
import { PipelineCache } from './pipelines.ts';
import { elements, type Plan } from './plan.ts';
import { CommandQueue, type BufferSlice } from './queue.ts';

export interface GpuOptions {
  /** Free buffers kept for reuse, in bytes. Default 1 GiB. */
  readonly maxPooledBytes?: number;
  /** Register tilings by kernel. Default: chosen for the kind of device. */
  readonly tilings?: Tilings;
}

export class Gpu {
  readonly queue: CommandQueue;
  readonly pipelines: PipelineCache;
  readonly #pool: BufferPool;
  readonly #tilings: Tilings;

  constructor(
    readonly device: GPUDevice,
    { maxPooledBytes = 2 ** 30, tilings }: GpuOptions = {},
  ) {
    this.#tilings = tilings ?? defaultTilings(deviceKind(device));
    this.queue = new CommandQueue(device);
    this.pipelines = new PipelineCache(device);
    this.#pool = new BufferPool(
      device,
      bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST,
      maxPooledBytes,
      () => this.queue.letGo(),
      (failure, what) => this.queue.watch(failure, what),
    );
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** The tiling to plan `kernel` with on this device. */
  tiling(kernel: TiledKernel): Tiling {
    return this.#tilings[kernel] ?? {};
  }

  /** Storage for a tensor; its size is rounded up so that vec4 shaders may bind it. */
  allocate(shape: readonly number[]): BufferSlice {
    const size = Math.max(16, Math.ceil(elements(shape) / 4) * 16);
    return { buffer: this.#pool.acquire(size), offset: 0, size };
  }

  release(slice: BufferSlice): void {
    this.#pool.release(slice.buffer);
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
      if (spec) outputs[name] = this.allocate(spec.shape);
    }
    const anyInput = Object.values(given).find((slice) => slice !== undefined);
    const slices: BufferSlice[] = [];
    for (const { name, type } of plan.shader.bindings) {
      if (type === 'uniform') continue;
      const slice = outputs[name] ?? given[name] ?? (type === 'read' ? anyInput : undefined);
      if (!slice) throw new ThawGpuError(`${plan.shader.name}: no buffer was given for '${name}'`);
      slices.push(slice);
    }
    // Nothing to compute for an empty tensor; Dawn would print a warning.
    if (!plan.workgroups.includes(0)) this.queue.dispatch(this.pipelines.get(plan), plan, slices);
    return outputs;
  }

  memory(): MemoryReport {
    return this.#pool.report();
  }

  /** Gives free buffers back to the driver. */
  trim(): void {
    this.#pool.trim();
  }

  /** Submits what is recorded and frees what no tensor holds. The device stays open: who opened it destroys it. */
  dispose(): void {
    this.queue.letGo();
    this.#pool.trim();
  }
}
