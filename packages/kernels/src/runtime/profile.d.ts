export interface KernelTime {
    readonly kernel: string;
    readonly dispatches: number;
    readonly milliseconds: number;
}
/** Timestamps of one submitted batch, to be read once the device is done with it. */
export interface BatchTimestamps {
    readonly kernels: readonly string[];
    readonly staging: GPUBuffer;
}
/** Queries of one batch of at most `capacity` dispatches. */
export declare class TimestampBatch {
    #private;
    private readonly device;
    readonly querySet: GPUQuerySet;
    constructor(device: GPUDevice, capacity: number);
    /** Pass descriptor that times the next dispatch. */
    next(kernel: string): GPUComputePassDescriptor;
    resolve(encoder: GPUCommandEncoder): BatchTimestamps;
}
/** Reads the batches' timestamps and sums them per kernel, longest first. */
export declare function sumTimestamps(batches: readonly BatchTimestamps[]): Promise<KernelTime[]>;
