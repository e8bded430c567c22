import type { Limits } from './plan.ts';
import type { CommandQueue } from './queue.ts';
import type { Recording } from './recording.ts';
import type { Scratch } from './scratch.ts';
import { type BufferSlice } from './slice.ts';
export interface ReplayHost {
    readonly device: GPUDevice;
    readonly limits: Limits;
    readonly queue: CommandQueue;
    readonly scratch: Scratch;
    /** A buffer of its own. */
    acquire(size: number): BufferSlice;
    /** Moves tensors that live on into one arena; undefined where another arena holds some of them. */
    gather(slices: readonly BufferSlice[]): BufferSlice | undefined;
    /** Grows whenever a tensor was moved. */
    moves(): number;
}
export declare class Replay {
    #private;
    /** Gives every tensor of the recording its place; nothing may be pending on the queue, as tensors are moved. @param outputs tensors that are read after a replay */
    static compile(recording: Recording, outputs: readonly BufferSlice[], host: ReplayHost): Promise<Replay>;
    private constructor();
    get dispatches(): number;
    /** Records the step once more. @throws when a tensor that it uses was disposed */
    replay(): void;
    /** Gives the memory back; tensors that the step returned have no values after it. */
    dispose(): void;
}
