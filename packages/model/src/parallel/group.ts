// The processes that train one model together, as training and evaluation see them. @thaw/mpi has one; nothing here knows MPI.

/**
 * Ranks of one job. All of its methods are collective: every rank calls the same ones in the same order. Calls may be made
 * before the ones before are through; they are worked off one after the other.
 */
export interface Group {
  /** This process, from 0. */
  readonly rank: number;
  /** Processes, at least 1. */
  readonly size: number;
  /** Adds `values` up over the ranks, element by element, into `into` (default: in place); the same bits on every rank. */
  sum<Values extends Float32Array | Float64Array>(values: Values, into?: Values): Promise<void>;
  /** Every rank's bytes, in the order of the ranks; their lengths may differ. */
  gather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /**
   * Sends the i-th of `size` equal parts of `bytes` to rank i.
   * @returns the parts that the ranks sent here, one after the other in the order of the ranks: as many bytes as were given
   */
  allToAll(bytes: Uint8Array): Promise<Uint8Array>;
  /** Seconds spent in these calls so far. */
  readonly seconds: number;
}
