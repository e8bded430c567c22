// thaw bench scaling on two ranks of each MPI, the model's table by hand calculation, and what is refused.
import { fileURLToPath } from 'node:url';
import type { ScalingRow } from '@thaw/bench';
import { beforeEach, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { LAUNCHERS, needLauncher, runJob } from '../../../../mpi/src/testing/job.ts';
import { temporaryFolder, thaw } from '../../testing/stand-in.ts';
import { ownCores, shareCores } from './start-job.ts';

const noAdapter = process.env['THAW_NO_ADAPTER'] === '1';
if (noAdapter) console.warn('SKIPPED: bench scaling on ranks: needs a WebGPU adapter, and THAW_NO_ADAPTER=1 says that there is none'); // prettier-ignore
const COMMAND = fileURLToPath(new URL('../../testing/thaw.program.js', import.meta.url));
/** Of the article's head. */
const HEAD_BYTES = 4 * 66_322;

const rowsOf = (stdout: string): ScalingRow[] =>
  stdout.split('\n').flatMap((line) => (line.startsWith('{"event":"row"') ? [JSON.parse(line) as ScalingRow] : []));

describe.skipIf(noAdapter).each(LAUNCHERS)('%s', (launcher) => {
  beforeEach(({ skip }) => needLauncher(launcher, skip));

  test('two ranks measure the same step, and rank 0 tells', async () => {
    const line = 'bench scaling --filter head --batch-size 2 --rounds 1 --seconds 1 --json';
    const job = await runJob({
      launcher,
      ranks: 2,
      program: COMMAND,
      args: line.split(' '),
      env: { THAW_HOME: await temporaryFolder() },
      timeoutMs: 110_000,
    });
    expect(job.code, JSON.stringify(job, undefined, 2)).toBe(0);
    expect(job.ranks[1]).toEqual({ stdout: '', stderr: expect.not.stringContaining('thaw') as string });
    const rows = rowsOf(job.ranks[0]?.stdout ?? '');
    expect(rows.map(({ case: name, ranks, compression }) => [name, ranks, compression])).toEqual([
      ['head', 2, 'none'],
      ['head', 2, 'f16'],
    ]);
    for (const { perRank, compression, bytesOut, bytesSent, calls } of rows) {
      const [first, second] = perRank;
      expect(perRank).toHaveLength(2);
      expect(second?.variables).toBe(first?.variables);
      // Eight tensors, each padded to 512 bytes at most. In float16 halves go out to be added up, and half of them comes back.
      const least = compression === 'none' ? HEAD_BYTES : (HEAD_BYTES / 2) * 1.5;
      expect(bytesOut).toBeGreaterThanOrEqual(least);
      expect(bytesOut).toBeLessThan(least + 10 * 512);
      expect(calls).toBe(compression === 'none' ? 1 : 2);
      expect(bytesSent).toBe(compression === 'none' ? bytesOut : bytesOut * (2 / 3));
    }
  });
}); // prettier-ignore

test('the model of the head on two ranks, by hand', async () => {
  const line = 'bench scaling-model --step-ms 1000 --filter head --ranks 2 --links 0.008 --latency 0 --device-link 0.002 --host-copy 0.001 --json';
  const { events } = await thaw(line, await temporaryFolder());
  const [row] = events.at(-1)?.['rows'] as { expected: Record<string, { stepSeconds: number }> }[];
  // Out at 2 MB/s, a whole bucket at 1 MB/s on the wire, half of it added up and all of it copied at 1 MB/s, in at 2 MB/s.
  const megabytes = HEAD_BYTES / 1e6;
  expect(row?.expected['float32']?.stepSeconds).toBeCloseTo(1 + megabytes * (0.5 + 1 + 0.5 + 1 + 0.5), 9);
}); // prettier-ignore

test.each([
  ['bench scaling', 1, 'No mpirun was found (mpirun, mpiexec, mpiexec.hydra, mpirun.mpich, mpirun.openmpi in PATH): install one'],
  ['bench scaling --mpirun /nowhere/mpirun', 1, '--mpirun: there is no /nowhere/mpirun: install one'],
  [`bench scaling --mpirun ${process.execPath}`, 1, 'is the launcher of neither MPICH (Intel MPI, MVAPICH) nor Open MPI; it calls itself "v'],
  ['bench scaling --ranks 1,0', 2, '--ranks: "1,0" is not a list of whole numbers of at least 1'],
  ['bench scaling --gradient-compression f8', 2, '--gradient-compression: "f8" is not one of none, f16'],
  ['bench scaling --filter features', 2, 'no case has "features" in its name; there are head; article-2-last42; article-2; all.'],
  ['bench scaling-model', 2, '--step-ms: the milliseconds of a step on one device are needed'],
  ['bench scaling-model --step-ms 0', 2, '--step-ms: 0 is not a number above 0'],
  ['bench scaling-model --step-ms 5 --links 10,0', 2, '--links: "10,0" is not a list of numbers above 0'],
  ['bench scaling-model --step-ms 5 --filter e', 2, '--filter: one case at a time; choose one out of head, article-2-last42, article-2, all.'],
])('thaw %s', async (line, exitCode, message) => {
  const { code, stderr } = await thaw(line, await temporaryFolder());
  expect(stderr).toContain(message);
  expect(code).toBe(exitCode);
}); // prettier-ignore

test('cores are dealt to ranks so that each has as many in every job', async () => {
  const own = await ownCores();
  const { cores } = await shareCores(2, process);
  expect(cores).toBe(Math.max(1, Math.floor((own?.length ?? cores * 2) / 2)));
  expect((await shareCores(2, { env: {} })).lists).toBeUndefined();
});
