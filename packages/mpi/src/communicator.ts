// What a job of several processes offers to each of them.

/**
 * The processes of one job. All methods but `abort` are collective: every rank calls the same ones in the same order, with the
 * same lengths where nothing else is said. Calls may be made before the ones before are through; they are worked off one after
 * the other, on another thread. Memory that was handed in is read and written until the promise settles, and must be left alone.
 * A failed call (MpiError) fails all later ones: the job has to end.
 */
export interface Communicator {
  /** This process, from 0. */
  readonly rank: number;
  /** Processes, at least 1. */
  readonly size: number;
  /** Among the processes of this machine, from 0; undefined where the launcher does not say. */
  readonly localRank: number | undefined;
  /** The MPI library, as "MPICH 4.0.2"; undefined in a job of one process, which needs none. */
  readonly library: string | undefined;
  /** Adds `values` up over the ranks, element by element, into `into` (default: in place); the same bits on every rank. */
  sum<Values extends Float32Array | Float64Array>(values: Values, into?: Values): Promise<void>;
  /** Every rank's bytes, in the order of the ranks, each at an address that 8 divides; their lengths may differ. */
  gather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /**
   * Sends the i-th of `size` equal parts of `bytes` to rank i.
   * @returns the parts that the ranks sent here, one after the other in the order of the ranks: as many bytes as were given
   */
  allToAll(bytes: Uint8Array): Promise<Uint8Array>;
  /** Resolves when every rank is here. */
  barrier(): Promise<void>;
  /** Seconds spent in these calls so far, waiting for other ranks included. */
  readonly seconds: number;
  /**
   * Ends every process of the job, whatever it is doing, this one with `code` (1 to 255), which becomes the launcher's exit code.
   * For an error that this rank alone has. Not collective.
   */
  abort(code: number): never;
  /**
   * Ends MPI, when the calls so far are through; every rank must, before it exits. A process that exits without it ends the whole
   * job, with its exit code or with 1.
   */
  close(): Promise<void>;
}
