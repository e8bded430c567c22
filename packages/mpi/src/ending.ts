// A process that ends before MPI is closed must end its whole job, or the others wait for it for ever.
import { inspect } from 'node:util';

/** Time for rank 0 to say what is wrong, where all ranks end for the same reason. */
const FOR_RANK_0_MS = 1000;

/**
 * Ends the job where this process exits, or dies of an error that nobody caught.
 * Node's exit would otherwise wait for a thread that waits for ranks that may never come, and launchers differ in what they do
 * about a rank that left (docs/decisions/mpi-through-koffi.md).
 * @param abort ends every process of the job
 * @returns takes that back
 */
export function endJobOnExit(rank: number, abort: (code: number) => void): () => void {
  let uncaught: { error: unknown } | undefined;
  const onUncaught = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') === 0) uncaught = { error };
  };
  const onExit = (code: number): void => {
    // Node prints it after this event, which nothing survives.
    if (uncaught) process.stderr.write(`${inspect(uncaught.error)}\n`);
    else if (code === 0)
      process.stderr.write(`rank ${rank} exits without having closed MPI, so the whole job ends, with exit code 1\n`);
    if (rank > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FOR_RANK_0_MS);
    abort(code === 0 ? 1 : code);
  };
  process.on('uncaughtExceptionMonitor', onUncaught);
  process.on('exit', onExit);
  return () => {
    process.off('uncaughtExceptionMonitor', onUncaught);
    process.off('exit', onExit);
  };
}
