// Finding a library, and what is said where there is none.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { abiName } from './abi.ts';
import type { Launch } from './launch.ts';
import { loadLibrary } from './library.ts';
import { candidates } from './locate.ts';

const launch = (launcher: Launch['launcher']): Launch => ({ launcher, rank: 1, size: 4, localRank: 1 });

test.each([
  ['MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n', 'mpich'],
  ['Intel(R) MPI Library 2021.10 for Linux* OS\n', 'mpich'],
  ['MVAPICH2 Version      :\t2.3.7\n', 'mpich'],
  ['MPI VERSION    : CRAY MPICH version 8.1.25.17 (ANL base 3.4a2)\n', 'mpich'],
  ['Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022', 'openmpi'],
  ['HPE MPT 2.25', undefined],
  ['', undefined],
])('%j is %s', (version, name) => expect(abiName(version)).toBe(name));

describe('candidates', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'thaw-mpi-'));
    for (const folder of ['intel/bin', 'intel/lib/release', 'usr/bin', 'usr/lib']) await mkdir(join(root, folder), { recursive: true }); // prettier-ignore
    for (const file of ['intel/bin/mpirun', 'intel/lib/release/libmpi.so.12']) await writeFile(join(root, file), '');
    await symlink(join(root, 'intel/bin/mpirun'), join(root, 'usr/bin/mpiexec'));
  });
  afterAll(() => rm(root, { recursive: true }));

  test('the file that THAW_MPI_LIBRARY names, and nothing else', () =>
    expect(candidates(launch('hydra'), { THAW_MPI_LIBRARY: '/opt/libmpi.so.12' })).toEqual(['/opt/libmpi.so.12']));

  test.each([
    ['hydra', {}, 'libmpich.so.12'],
    ['openmpi', {}, 'libmpi.so.40'],
    ['pmix', {}, 'libmpi.so.40'],
    ['slurm', {}, 'libmpich.so.12'],
  ] as const)("%s: its own kind first, the other kind's too", (launcher, env, first) => {
    const paths = candidates(launch(launcher), env);
    expect(paths[0]).toBe(first);
    expect([...paths].sort()).toEqual(['libmpi.so', 'libmpi.so.12', 'libmpi.so.40', 'libmpi_cray.so.12', 'libmpich.so.12']); // prettier-ignore
  });

  test('beside the launcher, where a link of another folder leads to it too', () =>
    expect(candidates(launch('hydra'), { PATH: join(root, 'usr/bin') })).toEqual([
      'libmpich.so.12',
      'libmpi.so.12',
      join(root, 'intel/lib/release/libmpi.so.12'),
      'libmpi_cray.so.12',
      'libmpi.so',
      'libmpi.so.40',
    ]));
});

test('where there is none, the error names what was tried and what to install', async () => {
  const load = (launcher: Launch['launcher']) => loadLibrary(launch(launcher), {}, ['libnone.so.1', '/nowhere/libmpi.so.40']); // prettier-ignore
  await expect(load('hydra')).rejects.toThrow(
    /^This process was started by an MPI launcher, as one of 4 processes, and no MPI library was found\. Tried: libnone\.so\.1 \(.*No such file.*\); \/nowhere\/libmpi\.so\.40 \(.*\)\. Install .*libmpich12.*THAW_MPI_LIBRARY\.$/,
  );
  await expect(load('openmpi')).rejects.toThrow(/libopenmpi3/);
});
