/** Smallest size class that holds `bytes`. */
export declare function sizeClass(bytes: number): number;
export interface MemoryReport {
    /** Bytes of buffers that tensors hold. */
    readonly usedBytes: number;
    /** Bytes of free buffers kept for reuse. */
    readonly pooledBytes: number;
    /** Most bytes held at once, used and pooled, since the last trim(). */
    readonly peakBytes: number;
}
export declare class BufferPool {
    #private;
    private readonly device;
    private readonly usage;
    private readonly maxPooledBytes;
    /** Submits recorded work; false while some of it still waits for its pipeline and may use any buffer. */
    private readonly mayDestroy;
    private readonly onError;
    constructor(device: GPUDevice, usage: GPUBufferUsageFlags, maxPooledBytes: number, 
    /** Submits recorded work; false while some of it still waits for its pipeline and may use any buffer. */
    mayDestroy: () => boolean, onError: (failure: Promise<GPUError | null>, what: string) => void);
    /**
     * A buffer of at least `bytes`; its content is whatever was there before.
     * @throws when the device has no buffers that large
     */
    acquire(bytes: number): GPUBuffer;
    release(buffer: GPUBuffer): void;
    /** Destroys every free buffer, unless work recorded on them still waits for its pipeline: false then. */
    drain(): boolean;
    /** Drains, and counts the peak anew. */
    trim(): void;
    report(): MemoryReport;
}
