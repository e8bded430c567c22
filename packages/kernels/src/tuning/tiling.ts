/** What may be chosen of a tiled kernel: its shader, and the tiles or rows that a workgroup has. */
import type { Tuning } from './legal.ts';

/** How to run a tiled kernel: its plain shader's tuning, and its subgroup variant's where that is to be used. */
export interface Tiling {
  /** Of the plain shader; its own constants where this is not given. */
  readonly direct?: Tuning;
  /** Used where the shape allows it. LANES is the device's subgroup size. */
  readonly subgroups?: Tuning;
  /** What products of at most so many rows of at most so many images take instead of `subgroups`. */
  readonly few?: {
    /** The most images. */
    readonly images: number;
    /** The most rows. */
    readonly rows: number;
    /** Of the subgroup variant. */
    readonly subgroups: Tuning;
  };
  /** Tiles staged through workgroup memory, used where the shape allows it: the first that makes `workgroups` tiles, or the smallest. */
  readonly staged?: readonly Tuning[];
  /** The same where the channels of x do not come in fours: taps and channels are one depth (conv2d-flat.wgsl). */
  readonly flat?: readonly Tuning[];
  /** Tiles of matrix units, chosen likewise where tensors are stored in float16. M, N, K and LANES are the device's. */
  readonly matrix?: readonly Tuning[];
  /** Workgroups that fill the device; a kernel that may split its work makes no more parts than that. */
  readonly workgroups?: number;
  /** Workgroups up to which a sum over channels is split into parts, which cost a second dispatch; `workgroups` where it is not given. */
  readonly splitUpTo?: number;
  /** Rows up to which one workgroup reduces all of its channels, in one dispatch. */
  readonly wholeRows?: number;
  /** How it does, in place of `direct`: the first whose threads have all rows at a time (ROWS x BLOCK), or the last. */
  readonly whole?: readonly Tuning[];
  /** Of passes over chunks of rows that put four channels to a thread, used in place of `direct` where there are fours. */
  readonly wide?: Tuning;
  /** Of the mergers of chunks, in place of `direct`. */
  readonly merge?: Tuning;
}
