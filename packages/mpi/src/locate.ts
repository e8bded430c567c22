// Which files may be the MPI library of a launcher, best first.
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { AbiName } from './abi.ts';
import type { Environment, Launch } from './launch.ts';

/** What an MPI library is called: Debian's MPICH, other builds of it and Intel MPI, Cray's; Open MPI 3 to 5. */
const NAMES: Record<AbiName, readonly string[]> = {
  mpich: ['libmpich.so.12', 'libmpi.so.12', 'libmpi_cray.so.12'],
  openmpi: ['libmpi.so.40'],
};
/** Both have it, where their headers are installed too. */
const EITHER = 'libmpi.so';
/** Beside the folder of the launcher's program; the last is Intel MPI's. */
const FOLDERS = ['lib', 'lib64', join('lib', 'release')];

/** The kind of library that the launcher's own processes have. */
export function expectedAbi({ launcher }: Launch, env: Environment): AbiName {
  if (launcher === 'openmpi' || launcher === 'pmix') return 'openmpi';
  return launcher === 'slurm' && env['PMIX_RANK'] !== undefined ? 'openmpi' : 'mpich';
}

/**
 * What to load, in this order: the file that THAW_MPI_LIBRARY names, and nothing else; else the names that the dynamic linker
 * knows (LD_LIBRARY_PATH included, which a cluster's `module load` sets), and the same in the folders beside `mpirun` and
 * `mpiexec`; all of the launcher's own kind before the other kind.
 */
export function candidates(launch: Launch, env: Environment): string[] {
  const named = env['THAW_MPI_LIBRARY'];
  if (named) return [named];
  const first = expectedAbi(launch, env);
  const names = [...NAMES[first], EITHER, ...NAMES[first === 'mpich' ? 'openmpi' : 'mpich']];
  const folders = besideLaunchers(env);
  return names.flatMap((name) => [name, ...folders.map((folder) => join(folder, name)).filter((path) => existsSync(path))]); // prettier-ignore
}

function besideLaunchers(env: Environment): string[] {
  const programs = (env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => ['mpirun', 'mpiexec'].map((name) => join(folder, name)))
    .filter((path) => existsSync(path));
  const roots = programs.flatMap((path) => [dirname(dirname(path)), dirname(dirname(realpathSync(path)))]);
  return [...new Set(roots.flatMap((root) => FOLDERS.map((folder) => join(root, folder))))];
}
