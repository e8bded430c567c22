// Becomes one of the processes of the job that a launcher started.
import { Alone } from './alone.ts';
import { Calls } from './calls.ts';
import type { Communicator } from './communicator.ts';
import { MpiError } from './errors.ts';
import { type Environment, type Launch, launchOf } from './launch.ts';
import { type Library, loadLibrary } from './library.ts';
import { MpiCommunicator } from './mpi-communicator.ts';

/** One thread of a process calls MPI at a time, whichever it is. */
const THREAD_SERIALIZED = 2;

/** Settings for tests. */
export interface OpenOptions {
  /** Bytes that one call of MPI may move; default 2^30. */
  readonly pieceBytes?: number;
}

/**
 * Joins the job that started this process: loads the MPI library of its launcher and initialises MPI, which waits for the other
 * ranks. Once in a process. A job of one process needs no library.
 * @param env the environment that the launcher made; THAW_MPI_LIBRARY in it names the library's file
 * @returns undefined where no launcher started this process; nothing is loaded then
 * @throws MpiError where the library is missing, or does not belong to the launcher. Every rank throws it: see `speaks`
 */
export async function openGroup(
  env: Environment = process.env,
  { pieceBytes }: OpenOptions = {},
): Promise<Communicator | undefined> {
  const launch = launchOf(env);
  if (launch === undefined) return undefined;
  if (launch.size === 1) return new Alone();
  const library = await loadLibrary(launch, env);
  initialise(library);
  const { abi, mpi } = library;
  const calls = new Calls(library);
  const rank = new Int32Array(1);
  const size = new Int32Array(1);
  calls.check('MPI_Comm_rank', mpi.commRank(abi.world, rank));
  calls.check('MPI_Comm_size', mpi.commSize(abi.world, size));
  const member = { library, rank: rank[0] ?? 0, size: size[0] ?? 1, localRank: launch.localRank };
  const mistake = contradiction(launch, member);
  if (mistake !== undefined) {
    mpi.finalize();
    throw new MpiError(mistake);
  }
  // By default an error ends the process at once.
  calls.check('MPI_Comm_set_errhandler', mpi.commSetErrhandler(abi.world, abi.errorsReturn));
  return new MpiCommunicator(pieceBytes === undefined ? member : { ...member, pieceBytes });
}

function initialise(library: Library): void {
  const { mpi } = library;
  const calls = new Calls(library);
  const flag = new Int32Array(1);
  calls.check('MPI_Initialized', mpi.initialized(flag));
  if (flag[0] !== 0) throw new MpiError('MPI was opened in this process before; it can be opened once.');
  const provided = new Int32Array(1);
  calls.check('MPI_Init_thread', mpi.initThread(null, null, THREAD_SERIALIZED, provided));
  if ((provided[0] ?? 0) >= THREAD_SERIALIZED) return;
  mpi.finalize();
  throw new MpiError(
    `${library.version} (${library.path}) was built for programs of one thread (MPI_THREAD_SERIALIZED is not provided); ` +
      'name the file of another MPI library in THAW_MPI_LIBRARY.',
  );
}

/** What the library says of the job against what the launcher said; undefined where they agree. */
function contradiction(launch: Launch, { library, rank, size }: { library: Library; rank: number; size: number }) {
  if (rank === launch.rank && (launch.size === undefined || size === launch.size)) return undefined;
  const started =
    launch.size === undefined
      ? `started this process as rank ${launch.rank}`
      : `started ${launch.size} processes, this one as rank ${launch.rank}`;
  const remedy =
    launch.launcher === 'slurm' || launch.launcher === 'pmix'
      ? 'Start with `srun --mpi=pmix` (Open MPI) or `srun --mpi=pmi2` (MPICH, Intel MPI); `srun --mpi=list` says what this cluster has. Else name'
      : 'Start with the mpirun of that library (`mpirun.mpich`, `mpirun.openmpi` on Debian), or name';
  return (
    `The launcher (${LAUNCHERS[launch.launcher]}) ${started}, but ${library.version} (${library.path}) says rank ${rank} of ${size}: ` +
    `the library does not belong to the launcher. ${remedy} the launcher's own library in THAW_MPI_LIBRARY.`
  );
}

const LAUNCHERS: Record<Launch['launcher'], string> = {
  hydra: 'MPICH or one of its kind',
  openmpi: 'Open MPI',
  slurm: "Slurm's srun",
  pmix: 'PMIx',
};
