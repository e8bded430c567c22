/** A recorded step's dispatches as they are encoded, again and again. A call into Dawn takes half a microsecond. */
import type { Plan } from './plan.ts';
import type { Profiled, TimestampBatch } from './profile.ts';

/** A dispatch of a recorded step, ready to encode. */
export interface EncodedDispatch {
  /** What was recorded. */
  readonly of: Profiled;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly offsets: readonly number[];
  readonly workgroups: Plan['workgroups'];
}

/** All in one pass. */
export function encodeStep(encoder: GPUCommandEncoder, list: readonly EncodedDispatch[]): void {
  const pass = encoder.beginComputePass();
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, group, offsets, workgroups } of list) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, group, offsets);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
  pass.end();
}

/** Each in a pass of its own, between two timestamps. */
export function encodeTimed(
  encoder: GPUCommandEncoder,
  list: readonly EncodedDispatch[],
  timestamps: TimestampBatch,
): void {
  for (const { of, pipeline, group, offsets, workgroups } of list) {
    const pass = encoder.beginComputePass(timestamps.next(of));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, offsets);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  }
}
