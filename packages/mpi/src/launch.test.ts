// The variables are those that the launchers set: read off hydra 4.0.2 and Open MPI 4.1.4 here, of Slurm from srun(1).
import { expect, test } from 'vitest';
import { launchOf, speaks } from './launch.ts';

const SRUN = { SLURM_JOB_ID: '7', SLURM_STEP_ID: '0', SLURM_STEPID: '0', SLURM_STEP_NUM_TASKS: '4', SLURM_NTASKS: '4', SLURM_PROCID: '3', SLURM_LOCALID: '1' }; // prettier-ignore
const SBATCH = { SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_PROCID: '0', SLURM_LOCALID: '0' };

test.each([
  ['no launcher', {}, undefined],
  ['hydra', { PMI_RANK: '1', PMI_SIZE: '2', MPI_LOCALRANKID: '1' }, ['hydra', 1, 2, 1]],
  ['hydra, one rank', { PMI_RANK: '0', PMI_SIZE: '1', MPI_LOCALRANKID: '0' }, ['hydra', 0, 1, 0]],
  [
    'Open MPI, which sets PMIX_RANK too',
    { OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '3', OMPI_COMM_WORLD_LOCAL_RANK: '0', PMIX_RANK: '2' },
    ['openmpi', 2, 3, 0],
  ],
  ['srun', SRUN, ['slurm', 3, 4, 1]],
  ['srun of an older Slurm', { ...SRUN, SLURM_STEP_ID: undefined }, ['slurm', 3, 4, 1]],
  ['srun --mpi=pmi2', { ...SRUN, PMI_RANK: '3', PMI_SIZE: '4' }, ['hydra', 3, 4, 1]],
  ['srun --mpi=pmix', { ...SRUN, PMIX_RANK: '3' }, ['pmix', 3, 4, 1]],
  [
    "Open MPI's mpirun in a job of Slurm: its daemons are a step of one task a machine",
    { ...SRUN, OMPI_COMM_WORLD_RANK: '6', OMPI_COMM_WORLD_SIZE: '8', OMPI_COMM_WORLD_LOCAL_RANK: '2' },
    ['openmpi', 6, 8, 2],
  ],
  ['hydra in a job of Slurm', { ...SRUN, PMI_RANK: '6', PMI_SIZE: '8' }, ['hydra', 6, 8, undefined]],
  ['an sbatch script', SBATCH, undefined],
  ['an sbatch script that numbers its step', { ...SBATCH, SLURM_STEP_ID: '4294967291', SLURM_STEP_NUM_TASKS: '1' }, undefined], // prettier-ignore
  ["salloc's shell", { ...SRUN, SLURM_STEP_ID: '4294967290', SLURM_STEP_NUM_TASKS: '1', SLURM_PROCID: '0' }, undefined],
  ['PMIx alone', { PMIX_RANK: '5', PMIX_NAMESPACE: 'job' }, ['pmix', 5, undefined, undefined]],
  ['a rank without a size', { PMI_RANK: '1' }, undefined],
  ['a size without a rank', { OMPI_COMM_WORLD_SIZE: '4' }, undefined],
  ['what is no number', { PMI_RANK: 'one', PMI_SIZE: '2' }, undefined],
  ['a rank that the size excludes', { PMI_RANK: '2', PMI_SIZE: '2' }, undefined],
])('%s', (_, env, expected) => {
  const launch = launchOf(env);
  expect(launch && [launch.launcher, launch.rank, launch.size, launch.localRank]).toEqual(expected);
});

test('rank 0 speaks, and whoever has no launcher', () => {
  expect(speaks({})).toBe(true);
  expect(speaks({ PMI_RANK: '0', PMI_SIZE: '2' })).toBe(true);
  expect(speaks({ PMI_RANK: '1', PMI_SIZE: '2' })).toBe(false);
});
