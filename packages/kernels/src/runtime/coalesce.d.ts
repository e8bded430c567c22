import { type Limits } from './plan.ts';
import type { RecordedDispatch } from './recording.ts';
import type { BufferSlice } from './slice.ts';
/** Offsets in an arena: what every device accepts for a binding. */
export declare const ARENA_ALIGNMENT = 256;
export declare const aligned: (bytes: number) => number;
/** Lays slices out one after the other, at multiples of ARENA_ALIGNMENT; undefined where that cannot be done. */
export type LayOut = (slices: readonly BufferSlice[]) => BufferSlice | undefined;
/** @param layOut gives a slice that covers the given ones */
export declare function coalesce(dispatches: readonly RecordedDispatch[], limits: Limits, layOut: LayOut): RecordedDispatch[];
