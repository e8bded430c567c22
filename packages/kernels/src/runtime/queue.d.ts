import type { Pipeline } from './pipelines.ts';
import type { Plan } from './plan.ts';
import { type KernelTime } from './profile.ts';
import type { BufferSlice } from './slice.ts';
/** A dispatch of a recorded step, ready to encode. */
export interface EncodedDispatch {
    readonly kernel: string;
    readonly pipeline: GPUComputePipeline;
    readonly group: GPUBindGroup;
    readonly offsets: readonly number[];
    readonly workgroups: Plan['workgroups'];
}
export declare class CommandQueue {
    #private;
    private readonly device;
    /** Dispatches recorded since the queue was made. */
    dispatches: number;
    constructor(device: GPUDevice);
    /** Records one dispatch; `slices` in the order of the shader's bindings, the uniform left out. */
    dispatch(pipeline: Pipeline, plan: Plan, slices: readonly BufferSlice[]): void;
    /** Records the dispatches of a recorded step and submits them. */
    replay(list: readonly EncodedDispatch[]): void;
    /** Copies a slice into another buffer. */
    copy(from: BufferSlice, to: GPUBuffer, toOffset: number): void;
    /** Writes host data; `data` may be reused by the caller at once. */
    upload(target: BufferSlice, data: ArrayBufferView<ArrayBuffer>): void;
    /** Reads a slice back. @throws the first failure of any command recorded before. */
    download(from: BufferSlice): Promise<ArrayBuffer>;
    /**
     * Call at the end of a step: submits it, and waits until at most `maxInFlight` steps are unfinished.
     * @throws the first failure of any command recorded before.
     */
    settle(maxInFlight: number): Promise<void>;
    /** Submits everything whose pipelines are compiled, without waiting. */
    flush(): void;
    /** Submits recorded work and forgets bind groups, so that buffers may be destroyed; false while that is too early. */
    letGo(): boolean;
    /** Times every dispatch that `work` records. Needs the timestamp-query feature. */
    profile(work: () => Promise<void>): Promise<KernelTime[]>;
    /** Watches an error scope's result; `what` names the work in the message, and is asked for after a failure only. */
    watch(scope: Promise<GPUError | null>, what: string | (() => Promise<string>)): void;
}
