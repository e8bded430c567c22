// Statistics of batch-norms over the batches of all ranks, as if they were one.
import type { BatchNormSync, Swap } from '@thaw/kernels';
import type { Group } from './group.ts';

/** The host's part of synchronised batch-norms, one after the other within each step. */
export class BatchNormStatistics implements BatchNormSync {
  /** @param counts whether this rank's images count in the step that runs */
  constructor(
    private readonly group: Group,
    private readonly counts: () => boolean,
  ) {}

  /** Means and variances of parts make those of the whole (Chan, Golub and LeVeque 1983), in float64. */
  statistics(rows: number, channels: number): Swap {
    return async (given, result) => {
      const told = new Float64Array(1 + 2 * channels);
      told[0] = this.counts() ? rows : 0;
      told.set(new Float32Array(given, 0, 2 * channels), 1);
      const parts = (await this.group.gather(new Uint8Array(told.buffer))).map(
        (bytes) => new Float64Array(bytes.slice().buffer),
      );
      const count = parts.reduce((sum, [n = 0]) => sum + n, 0);
      const whole = new Float32Array(result);
      for (let c = 0; c < channels; c++) {
        const mean = weighted(parts, count, (part) => part[1 + c] ?? NaN);
        const spread = (part: Float64Array): number => ((part[1 + c] ?? NaN) - mean) ** 2;
        const variance = weighted(parts, count, (part) => (part[1 + channels + c] ?? NaN) + spread(part));
        whole[c] = mean;
        whole[channels + c] = variance;
        whole[2 * channels + c] = (variance * count) / Math.max(1, count - 1);
      }
    };
  }

  /** The mean over all rows, times the rows of this rank: what its part of the backward pass divides by its rows. */
  sums(rows: number, channels: number): Swap {
    return async (given, result) => {
      const told = new Float64Array(2 * channels + 1);
      told.set(new Float32Array(given, 0, 2 * channels));
      told[2 * channels] = this.counts() ? rows : 0;
      await this.group.sum(told);
      const all = told[2 * channels] ?? 0;
      new Float32Array(result).set(told.subarray(0, 2 * channels).map((sum) => (sum * rows) / Math.max(1, all)));
    };
  }
}

/** @param parts begin with their counts */
function weighted(parts: readonly Float64Array[], count: number, valueOf: (part: Float64Array) => number): number {
  let sum = 0;
  // A part that does not count may hold anything.
  for (const part of parts) if (part[0]) sum += part[0] * valueOf(part);
  return sum / Math.max(1, count);
}
