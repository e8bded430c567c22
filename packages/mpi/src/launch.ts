// Whether this process is one of a job that an MPI launcher started, read from its environment alone.

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Who started the job, by how it tells its processes their ranks: `hydra` is mpirun of MPICH, Intel MPI or MVAPICH, and Slurm's
 * `srun --mpi=pmi2`; `slurm` is srun without MPI's own variables; `pmix` is a launcher that names the rank alone.
 */
export type Launcher = 'hydra' | 'openmpi' | 'slurm' | 'pmix';

/** What the launcher says of this process. */
export interface Launch {
  /** Who started it. */
  readonly launcher: Launcher;
  /** From 0. */
  readonly rank: number;
  /** Processes of the job; undefined where the launcher does not say, as PMIx alone. */
  readonly size: number | undefined;
  /** Among the processes of the same machine, from 0; undefined where the launcher does not say. */
  readonly localRank: number | undefined;
}

/**
 * Slurm numbers what is no step that srun started from here on: the script of sbatch is 4294967291, the shell of salloc
 * 4294967290 (slurm.h, SLURM_BATCH_SCRIPT and SLURM_INTERACTIVE_STEP).
 */
const FIRST_SPECIAL_STEP = 0xfffffff0;

/**
 * The launch that this process is a part of; undefined where there is none. An sbatch script is none: Slurm sets SLURM_PROCID
 * and SLURM_NTASKS there too. Open MPI's own variables come first, as its mpirun starts its daemons through srun, and hydra's
 * before Slurm's for the same reason.
 */
export function launchOf(env: Environment): Launch | undefined {
  const number = (name: string): number | undefined => {
    const text = env[name]?.trim();
    return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  };
  const launch = (launcher: Launcher, rank?: number, size?: number, localRank?: number): Launch | undefined =>
    rank === undefined || (size !== undefined && rank >= size) ? undefined : { launcher, rank, size, localRank };

  const step = number('SLURM_STEP_ID') ?? number('SLURM_STEPID');
  const tasks = number('SLURM_STEP_NUM_TASKS');
  const inStep = step !== undefined && step < FIRST_SPECIAL_STEP && tasks !== undefined;
  const task = inStep ? number('SLURM_PROCID') : undefined;
  /** Slurm's, where it and the other launcher mean the same process. */
  const slurmLocal = (rank: number | undefined) => (task === rank ? number('SLURM_LOCALID') : undefined);

  const openMpi = number('OMPI_COMM_WORLD_RANK');
  const openMpiSize = number('OMPI_COMM_WORLD_SIZE');
  const pmi = number('PMI_RANK');
  const pmiSize = number('PMI_SIZE');
  const pmix = number('PMIX_RANK');
  return (
    (openMpiSize === undefined
      ? undefined
      : launch('openmpi', openMpi, openMpiSize, number('OMPI_COMM_WORLD_LOCAL_RANK'))) ??
    (pmiSize === undefined ? undefined : launch('hydra', pmi, pmiSize, number('MPI_LOCALRANKID') ?? slurmLocal(pmi))) ??
    // A step with PMIx: Slurm knows the size.
    launch(pmix === undefined ? 'slurm' : 'pmix', task, tasks, number('SLURM_LOCALID')) ??
    launch('pmix', pmix, undefined, number('PMIX_LOCAL_RANK'))
  );
}

/**
 * Whether this process is the one of its job that speaks to people: rank 0, or any without a launcher. An error that every
 * rank meets is printed by this one; the others end with the same exit code and say nothing.
 */
export function speaks(env: Environment): boolean {
  return (launchOf(env)?.rank ?? 0) === 0;
}
