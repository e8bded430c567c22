/** Who gets a slice's bytes back. */
export interface SliceOwner {
    release(slice: BufferSlice): void;
}
export declare class BufferSlice {
    #private;
    readonly size: number;
    /** The tensor is gone: a recorded step that uses it may not run again. */
    isReleased: boolean;
    /** @param buffer undefined for a tensor of a step that is being recorded, which is placed when the recording is compiled */
    constructor(buffer: GPUBuffer | undefined, offset: number, size: number, owner: SliceOwner);
    /** @throws while the slice has no place */
    get buffer(): GPUBuffer;
    get offset(): number;
    get owner(): SliceOwner;
    get isPlaced(): boolean;
    /** Everyone who holds the slice finds it at its new place. */
    move(buffer: GPUBuffer, offset: number, owner: SliceOwner): void;
    release(): void;
}
