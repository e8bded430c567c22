/** Time per kernel from timestamp queries: two per dispatch, summed by kernel name. */
import { MAP_MODE_READ, bufferUsage } from './constants.ts';

export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** Timestamps of one submitted batch, to be read once the device is done with it. */
export interface BatchTimestamps {
  readonly kernels: readonly string[];
  readonly staging: GPUBuffer;
}

/** Queries of one batch of at most `capacity` dispatches. */
export class TimestampBatch {
  readonly querySet: GPUQuerySet;
  #kernels: string[] = [];

  constructor(
    private readonly device: GPUDevice,
    capacity: number,
  ) {
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
  }

  /** Pass descriptor that times the next dispatch. */
  next(kernel: string): GPUComputePassDescriptor {
    const first = 2 * this.#kernels.length;
    this.#kernels.push(kernel);
    return {
      label: kernel,
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    };
  }

  resolve(encoder: GPUCommandEncoder): BatchTimestamps {
    const count = 2 * this.#kernels.length;
    const size = 8 * count;
    const resolved = this.device.createBuffer({ size, usage: bufferUsage.QUERY_RESOLVE | bufferUsage.COPY_SRC });
    const staging = this.device.createBuffer({ size, usage: bufferUsage.COPY_DST | bufferUsage.MAP_READ });
    encoder.resolveQuerySet(this.querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    return { kernels: this.#kernels, staging };
  }
}

/** Reads the batches' timestamps and sums them per kernel, longest first. */
export async function sumTimestamps(batches: readonly BatchTimestamps[]): Promise<KernelTime[]> {
  const sums = new Map<string, { dispatches: number; milliseconds: number }>();
  for (const { kernels, staging } of batches) {
    await staging.mapAsync(MAP_MODE_READ);
    const nanoseconds = new BigUint64Array(staging.getMappedRange());
    kernels.forEach((kernel, i) => {
      const sum = sums.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
      sum.dispatches++;
      sum.milliseconds += Number((nanoseconds[2 * i + 1] ?? 0n) - (nanoseconds[2 * i] ?? 0n)) / 1e6;
      sums.set(kernel, sum);
    });
    staging.destroy();
  }
  return [...sums].map(([kernel, sum]) => ({ kernel, ...sum })).sort((a, b) => b.milliseconds - a.milliseconds);
}
