/** The runtime of one device: buffers, pipelines and the queue, behind one door. */
import { type DeviceKind, type TiledKernel, type Tiling, type Tilings } from '../tuning/tilings.ts';
import { type Choice, type Choices, type TunedKernel } from '../tuning/tuned.ts';
import { type MemoryReport } from './buffer-pool.ts';
import { PipelineCache } from './pipelines.ts';
import { type Plan } from './plan.ts';
import { CommandQueue } from './queue.ts';
import { Recording } from './recording.ts';
import { Replay } from './replay.ts';
import { BufferSlice } from './slice.ts';
export interface GpuOptions {
    /** Free buffers kept for reuse, in bytes. Default 1 GiB. */
    readonly maxPooledBytes?: number;
    /** Register tilings by kernel. Default: chosen for the kind of device. */
    readonly tilings?: Tilings;
}
export declare class Gpu {
    #private;
    readonly device: GPUDevice;
    /** What tilings are chosen by. */
    readonly kind: DeviceKind;
    readonly queue: CommandQueue;
    readonly pipelines: PipelineCache;
    constructor(device: GPUDevice, { maxPooledBytes, tilings }?: GpuOptions);
    get limits(): GPUSupportedLimits;
    /** The tiling to plan `kernel` with on this device. */
    tiling(kernel: TiledKernel, bucket?: string): Tiling;
    /** Takes tilings that were measured; plans made from now on use them. */
    tune(choices: Choices): void;
    /** Sets one bucket's tiling; undefined is the default again. */
    choose(kernel: TunedKernel, bucket: string, choice: Choice | undefined): void;
    /** Storage for a tensor that a dispatch makes; its size is rounded up so that vec4 shaders may bind it. */
    allocate(shape: readonly number[]): BufferSlice;
    /** Storage for host values, which has its place also while a step is recorded. */
    allocatePlaced(shape: readonly number[]): BufferSlice;
    release(slice: BufferSlice): void;
    /**
     * Records a plan. `given` holds the buffers of the inputs, and of read_write bindings the plan does not create.
     * A `read` binding left out of `given` is one that the plan's constants switch off; another input stands in for it.
     * @returns the slices of the plan's outputs, owned by the caller.
     */
    run(plan: Plan, given: Readonly<Record<string, BufferSlice | undefined>>): Record<string, BufferSlice>;
    /** Runs `step` without the device: what it dispatches is recorded. @throws inside another recording */
    record<T>(step: () => T): {
        recording: Recording;
        result: T;
    };
    get isRecording(): boolean;
    /** Frees what a recording holds that is not to be compiled. */
    discard(recording: Recording): void;
    /** Gives a recording its memory and compiles its pipelines. @param outputs tensors that are read after a replay */
    compile(recording: Recording, outputs: readonly BufferSlice[]): Promise<Replay>;
    memory(): MemoryReport;
    /** Gives free buffers back to the driver. */
    trim(): void;
    /** Submits what is recorded and frees what no tensor holds. The device stays open: who opened it destroys it. */
    dispose(): void;
}
