/**
 * The processes of an MPI job, each a Node process: sums, gathering, exchange, by the MPI library that is installed, called in
 * this process through koffi.
 * @module @thaw/mpi
 */

export type { Communicator } from './communicator.ts';
export { MpiError } from './errors.ts';
export { launchOf, speaks, type Environment, type Launch, type Launcher } from './launch.ts';
export { openGroup, type OpenOptions } from './open.ts';
