import type { Pipeline } from './pipelines.ts';
import type { Plan } from './plan.ts';
import { BufferSlice } from './slice.ts';
export interface RecordedDispatch {
    readonly pipeline: Pipeline;
    readonly plan: Plan;
    /** In the order of the shader's bindings, the uniform left out. */
    readonly slices: readonly BufferSlice[];
    readonly params: ArrayBuffer;
}
export declare class Recording {
    readonly dispatches: RecordedDispatch[];
    /** Storage of constants that the step made and dropped: its dispatches read them each time. */
    readonly held: BufferSlice[];
    dispatch(pipeline: Pipeline, plan: Plan, slices: readonly BufferSlice[]): void;
    allocate(size: number): BufferSlice;
    release(slice: BufferSlice): void;
}
