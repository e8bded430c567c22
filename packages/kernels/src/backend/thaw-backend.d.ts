/**
 * The TensorFlow.js backend: tensors by data id over the runtime of one device.
 * Values stay on the host until a kernel first needs them; reads are asynchronous.
 */
import { KernelBackend } from '@tensorflow/tfjs-core';
import type { BackendValues, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { Gpu, type GpuOptions } from '../runtime/gpu.ts';
import type { MemoryReport } from '../runtime/buffer-pool.ts';
import { type Plan } from '../runtime/plan.ts';
import type { KernelTime } from '../runtime/profile.ts';
import type { Replay } from '../runtime/replay.ts';
import type { BufferSlice } from '../runtime/slice.ts';
export type DataId = TensorInfo['dataId'];
export declare class ThawBackend extends KernelBackend {
    #private;
    readonly gpu: Gpu;
    constructor(device: GPUDevice, options?: GpuOptions);
    write(values: BackendValues, shape: number[], dtype: DataType): DataId;
    move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void;
    read(dataId: DataId): Promise<BackendValues>;
    readSync(dataId: DataId): BackendValues;
    incRef(dataId: DataId): void;
    refCount(dataId: DataId): number;
    disposeData(dataId: DataId, force?: boolean): boolean;
    numDataIds(): number;
    floatPrecision(): 32;
    epsilon(): number;
    memory(): {
        unreliable: boolean;
        numBytesInGPU: number;
    };
    /** Wall time of `work`, which tfjs expects to run before this returns; time per kernel comes from profile(). */
    time(work: () => void): Promise<{
        wallMs: number;
        kernelMs: number;
    }>;
    dispose(): void;
    /**
     * Runs a plan on tensors.
     * @param inputs by binding name; `undefined` for an input that the plan's constants switch off.
     * @returns the plan's outputs as tensors, by binding name.
     * @throws when a tensor's numbers are not of the type that the shader reads, rather than take their bits for others
     */
    run(plan: Plan, inputs: Readonly<Record<string, TensorInfo | undefined>>): Record<string, TensorInfo>;
    /** Like run(), for plans with one output. */
    runOne(plan: Plan, inputs: Readonly<Record<string, TensorInfo | undefined>>): TensorInfo;
    /** The tensor's storage on the device; uploads host values on first use. */
    slice(tensor: TensorInfo): BufferSlice;
    /** Host values, where the host still has them (constants, shapes, small vectors). */
    hostValues(tensor: TensorInfo): ArrayLike<number> | undefined;
    /** The same data under another shape: no copy, one reference more. */
    alias(tensor: TensorInfo, shape: readonly number[]): TensorInfo;
    /** A tensor made of host values. */
    makeTensor(values: BackendValues, shape: readonly number[], dtype: DataType): TensorInfo;
    /** A tensor whose content is whatever was there before: for kernels that write all of it in several dispatches. */
    empty(shape: readonly number[], dtype: DataType): TensorInfo;
    /** Disposes a temporary that a kernel made. */
    release(tensor: TensorInfo): void;
    /** An in-place kernel is about to change the tensor: host values, if any, are stale from now on. */
    invalidateHost(tensor: TensorInfo): void;
    /**
     * Puts other values into a tensor's storage, where captured steps find them.
     * @throws when another tensor shares the storage, or the number of values is not the tensor's
     */
    overwrite(tensor: TensorInfo, values: ArrayLike<number>): void;
    /**
     * Records what `step` runs, without running it. See ops/capture.ts.
     * @throws when a tensor made in the step, and not returned, outlives it
     */
    capture(step: () => readonly TensorInfo[]): Promise<Replay>;
    /** Call at the end of a step: waits until at most `maxInFlight` steps are unfinished; throws the first GPU failure. */
    settle(maxInFlight?: number): Promise<void>;
    /** Dispatches recorded so far. */
    get dispatchCount(): number;
    memoryReport(): MemoryReport;
    /** Time per kernel of everything that `work` runs. Needs the timestamp-query feature. */
    profile(work: () => Promise<void>): Promise<KernelTime[]>;
}
