/** Buffers for the passing tensors of recorded steps. Steps run one after the other, so all of them share the buffers. */
import { type Lifetime } from './memory-plan.ts';
import type { BufferSlice } from './slice.ts';
export declare class Scratch {
    #private;
    private readonly acquire;
    constructor(acquire: (size: number) => BufferSlice);
    /** Places a step's tensors; leave() when the step is disposed. */
    place(lifetimes: ReadonlyMap<BufferSlice, Lifetime>): void;
    leave(): void;
}
