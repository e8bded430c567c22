/**
 * Which tensors of a recorded step may share a buffer: those that are never alive at the same dispatch.
 * A buffer holds one tensor at a time, since WebGPU forbids a dispatch to read and write parts of one buffer.
 */
export interface Lifetime {
    readonly size: number;
    /** Index of the first and of the last dispatch that uses the tensor. */
    readonly first: number;
    readonly last: number;
}
export interface MemoryPlan {
    /** Index of each tensor's buffer. */
    readonly bufferOf: readonly number[];
    /** Sizes of all buffers, those given first. */
    readonly sizes: readonly number[];
}
/**
 * Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020): the largest
 * tensor first, each into the smallest buffer that is free for its whole life.
 *
 * @param existing sizes of buffers that are there already
 */
export declare function planMemory(lifetimes: readonly Lifetime[], existing?: readonly number[]): MemoryPlan;
