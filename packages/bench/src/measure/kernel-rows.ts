// The rows of one kernel in several engines: agreement, times, and how far they are from what the device can do.
import type { Precision } from '@thaw/kernels/tuning';
import { KERNEL_CASES, termsOf, workOf, type KernelCase, type KernelWork } from '../workloads/kernel-cases.ts';
import { compare, type Compared, type CompareOptions } from './compare.ts';
import { floorMilliseconds, geometricMean, type Ceilings } from './statistics.ts';

/** What one case is measured with. */
export interface KernelRowOptions extends Omit<CompareOptions, 'allowedOf'> {
  /** Of the device, as `measureCeilings` gives them. */
  readonly ceilings: Ceilings;
  /** Of the made-up inputs. */
  readonly seed: number;
  /** In which Thaw stores activations and filters; other engines compute with the same numbers in float32. Default float32. */
  readonly precision?: Precision | undefined;
}

/** One line of the table: a kernel's case in an engine. */
export interface KernelRow extends Compared {
  /** Name of the case. */
  readonly case: string;
  /** Which kernel it is of. */
  readonly op: KernelWork['op'];
  /** Multiplications and additions, 10^9 a second. */
  readonly gflops: number;
  /** Bytes that have to be moved at least, 10^9 a second. */
  readonly gigabytesPerSecond: number;
  /** The least that the device's ceilings allow. */
  readonly floorMilliseconds: number;
}

/**
 * Ten times what sums of that many random terms part by; batch-norm's gradient subtracts means and keeps fewer digits.
 * What is stored in float16 (y and dx, but of the dense layer) is rounded once more, on both sides where both store it so.
 */
export const kernelTolerance =
  (work: KernelWork, precision: Precision) =>
  (tensor: string): number => {
    const isHalf = precision === 'float16' && work.op !== 'dense' && (tensor === 'y' || tensor === 'dx');
    const factor = work.op === 'batch-norm-train' ? 100 : 10;
    return factor * Math.sqrt(termsOf(work) + 16) * 2 ** -24 + (isHalf ? 2 ** -10 : 0);
  };

/** Runs a case, Thaw's row first. @throws DisagreementError when an engine computes something else */
export async function kernelRows({ name, work }: KernelCase, options: KernelRowOptions): Promise<KernelRow[]> {
  const { ceilings, seed, precision = 'float32' } = options;
  const { flops, bytes } = workOf(work, precision);
  const found = await compare(
    name,
    { kind: 'kernel', work, seed, precision },
    { ...options, allowedOf: kernelTolerance(work, precision) },
  );
  return found.map((one) => {
    const seconds = one.milliseconds.median / 1000;
    return {
      ...one,
      case: name,
      op: work.op,
      gflops: flops / seconds / 1e9,
      gigabytesPerSecond: bytes / seconds / 1e9,
      floorMilliseconds: floorMilliseconds({ flops, bytes }, ceilings),
    };
  });
}

/** The cases of one kernel in one engine, summed up. */
export interface FamilySummary {
  /** Which kernel. */
  readonly op: KernelWork['op'];
  /** In which engine. */
  readonly engine: string;
  /** How many cases were measured. */
  readonly cases: number;
  /** Geometric means. */
  readonly gflops: number;
  /** Floor over measured time: 1 is all that the device can do. */
  readonly shareOfFloor: number;
  /** How many times as fast Thaw is; undefined for Thaw itself. */
  readonly ratio: number | undefined;
  /** The case in which Thaw gains least. */
  readonly least: number | undefined;
}

/** Geometric means by kernel and engine, in the cases' order. */
export function summariseKernels(rows: readonly KernelRow[]): FamilySummary[] {
  const ops = [...new Set(KERNEL_CASES.map(({ work }) => work.op))];
  return ops.flatMap((op) =>
    [...new Set(rows.map(({ engine }) => engine))].flatMap((engine) => {
      const own = rows.filter((row) => row.op === op && row.engine === engine);
      if (own.length === 0) return [];
      const ratios = own.flatMap(({ ratio }) => ratio ?? []);
      return {
        op,
        engine,
        cases: own.length,
        gflops: geometricMean(own.map(({ gflops }) => gflops)) ?? NaN,
        shareOfFloor: geometricMean(own.map((row) => row.floorMilliseconds / row.milliseconds.median)) ?? NaN,
        ratio: geometricMean(ratios),
        least: ratios.length === 0 ? undefined : Math.min(...ratios),
      };
    }),
  );
}
