/** A step as it is recorded: its dispatches in order, on tensors that have no place in memory yet. */
import { packParams } from '../wgsl/shader.ts';
import type { Pipeline } from './pipelines.ts';
import type { Plan } from './plan.ts';
import type { LayerPass, Profiled } from './profile.ts';
import { BufferSlice } from './slice.ts';

export interface RecordedDispatch extends Profiled {
  readonly pipeline: Pipeline;
  readonly params: ArrayBuffer;
}

/** The way of values from tensors of a step through the host and into tensors of it. */
export interface Exchange {
  readonly from: readonly BufferSlice[];
  readonly into: readonly BufferSlice[];
  readonly swap: Swap;
}

/**
 * What the host makes of the values that left the device.
 * @param given bytes of the tensors that they leave, one after the other, each a multiple of 16; gone when the promise is done
 * @param result bytes of the tensors that they arrive in, alike, to be written to
 */
export type Swap = (given: ArrayBuffer, result: ArrayBuffer) => Promise<void>;

/** Where in a step values leave the device, and where the step waits for what comes back. */
export interface Mark {
  readonly kind: 'leave' | 'arrive';
  readonly exchange: Exchange;
  /** How many of the step's dispatches are before it. */
  readonly at: number;
}

const nobody = { release: () => undefined };

export class Recording {
  readonly dispatches: RecordedDispatch[] = [];
  /** Storage of constants that the step made and dropped: its dispatches read them each time. */
  readonly held: BufferSlice[] = [];

  readonly marks: Mark[] = [];

  mark(kind: Mark['kind'], exchange: Exchange): void {
    this.marks.push({ kind, exchange, at: this.dispatches.length });
  }

  dispatch(pipeline: Pipeline, plan: Plan, slices: readonly BufferSlice[], from: LayerPass | undefined): void {
    this.dispatches.push({ pipeline, plan, slices, from, params: packParams(plan.shader, plan.params) });
  }

  allocate(size: number): BufferSlice {
    return new BufferSlice(undefined, 0, size, nobody);
  }

  release(slice: BufferSlice): void {
    if (slice.isPlaced) this.held.push(slice);
  }
}
