/** Time of each dispatch from timestamp queries, two for each. */
import { MAP_MODE_READ, bufferUsage } from './constants.ts';
import type { Plan } from './plan.ts';
import type { BufferSlice } from './slice.ts';

/** Where in a network a dispatch comes from. */
export interface LayerPass {
  /** As the program named it with `layer`. */
  readonly layer: string;
  /** Whether it computes the layer or its gradients. */
  readonly pass: 'forward' | 'backward';
}

/** A dispatch as far as a profile tells of it. */
export interface Profiled {
  readonly plan: Plan;
  /** In the order of the shader's bindings, the uniform left out. */
  readonly slices: readonly BufferSlice[];
  readonly from: LayerPass | undefined;
}

/** One dispatch, and what it took. */
export interface DispatchTime {
  /** Name of the shader. */
  readonly kernel: string;
  /** Undefined outside a layer. */
  readonly from: LayerPass | undefined;
  /** Numbers that the shader was given. */
  readonly params: Plan['params'];
  /** Values of the shader's `// @tune` constants. */
  readonly tuning: Plan['tuning'];
  /** Along each axis. */
  readonly workgroups: Plan['workgroups'];
  /** Bytes of its tensors: once where one is read or written, twice where it is changed in place. */
  readonly bytes: number;
  /** From the device's own clock. */
  readonly milliseconds: number;
}

/** Timestamps of one submitted batch, to be read once the device is done with it. */
export interface BatchTimestamps {
  readonly dispatches: readonly Profiled[];
  readonly staging: GPUBuffer;
}

/** Queries of one batch of at most `capacity` dispatches. */
export class TimestampBatch {
  readonly querySet: GPUQuerySet;
  #dispatches: Profiled[] = [];

  constructor(
    private readonly device: GPUDevice,
    capacity: number,
  ) {
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
  }

  /** Pass descriptor that times the next dispatch. */
  next(dispatch: Profiled): GPUComputePassDescriptor {
    const first = 2 * this.#dispatches.length;
    this.#dispatches.push(dispatch);
    return {
      label: dispatch.plan.shader.name,
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    };
  }

  resolve(encoder: GPUCommandEncoder): BatchTimestamps {
    const count = 2 * this.#dispatches.length;
    const size = 8 * count;
    const resolved = this.device.createBuffer({ size, usage: bufferUsage.QUERY_RESOLVE | bufferUsage.COPY_SRC });
    const staging = this.device.createBuffer({ size, usage: bufferUsage.COPY_DST | bufferUsage.MAP_READ });
    encoder.resolveQuerySet(this.querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    return { dispatches: this.#dispatches, staging };
  }
}

/** Reads the batches' timestamps, in the order of the dispatches. */
export async function readTimestamps(batches: readonly BatchTimestamps[]): Promise<DispatchTime[]> {
  const times: DispatchTime[] = [];
  for (const { dispatches, staging } of batches) {
    await staging.mapAsync(MAP_MODE_READ);
    const nanoseconds = new BigUint64Array(staging.getMappedRange());
    dispatches.forEach((dispatch, i) => {
      const { from } = dispatch;
      const { shader, params, tuning, workgroups } = dispatch.plan;
      const milliseconds = Number((nanoseconds[2 * i + 1] ?? 0n) - (nanoseconds[2 * i] ?? 0n)) / 1e6;
      times.push({ kernel: shader.name, from, params, tuning, workgroups, bytes: bytesOf(dispatch), milliseconds });
    });
    staging.destroy();
  }
  return times;
}

/** A tensor that stands in for one that is switched off is counted once. */
function bytesOf({ plan, slices }: Profiled): number {
  const bindings = plan.shader.bindings.filter(({ type }) => type !== 'uniform');
  const counted = new Map<BufferSlice, number>();
  for (const [i, { name, type }] of bindings.entries()) {
    const slice = slices[i];
    const isInPlace = type === 'read_write' && !(name in plan.outputs);
    if (slice) counted.set(slice, slice.size * (isInPlace ? 2 : 1));
  }
  return [...counted.values()].reduce((sum, bytes) => sum + bytes, 0);
}
