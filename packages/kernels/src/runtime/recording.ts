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

const nobody = { release: () => undefined };

export class Recording {
  readonly dispatches: RecordedDispatch[] = [];
  /** Storage of constants that the step made and dropped: its dispatches read them each time. */
  readonly held: BufferSlice[] = [];

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
