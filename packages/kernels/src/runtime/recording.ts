/** A step as it is recorded: its dispatches in order, on tensors that have no place in memory yet. */
import { packParams } from '../wgsl/shader.ts';
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

const nobody = { release: () => undefined };

export class Recording {
  readonly dispatches: RecordedDispatch[] = [];
  /** Storage of constants that the step made and dropped: its dispatches read them each time. */
  readonly held: BufferSlice[] = [];

  dispatch(pipeline: Pipeline, plan: Plan, slices: readonly BufferSlice[]): void {
    this.dispatches.push({ pipeline, plan, slices, params: packParams(plan.shader, plan.params) });
  }

  allocate(size: number): BufferSlice {
    return new BufferSlice(undefined, 0, size, nobody);
  }

  release(slice: BufferSlice): void {
    if (slice.isPlaced) this.held.push(slice);
  }
}
