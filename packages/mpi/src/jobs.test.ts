// Jobs of 1, 2 and 3 ranks under both launchers. The expected numbers are reckoned here by hand.
import { beforeEach, describe, expect, test } from 'vitest';
import { LAUNCHERS, needLauncher, runJob, type JobResult, type LauncherName } from './testing/job.ts';

const PROGRAM = new URL('./testing/collectives.program.js', import.meta.url);
const HEAP = new URL('./testing/heap.program.js', import.meta.url);

/** Runs a scenario that ends well. @returns what each rank printed */
async function results(launcher: LauncherName, ranks: number, scenario: string): Promise<Record<string, unknown>[]> {
  const job = await runJob({ launcher, ranks, program: PROGRAM, args: [scenario] });
  expect(job, told(job)).toMatchObject({ code: 0, timedOut: false });
  return job.ranks.map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>);
}

const told = (job: JobResult): string => JSON.stringify(job, undefined, 2);
const range = <Value>(length: number, value: (i: number) => Value): Value[] => Array.from({ length }, (_, i) => value(i)); // prettier-ignore

describe.each(LAUNCHERS)('%s', (launcher) => {
  beforeEach(({ skip }) => needLauncher(launcher, skip));

  test.each([
    [1, 'everything'],
    [2, 'everything'],
    [3, 'everything'],
    [3, 'pieces'],
  ])('%d ranks: %s', async (ranks, scenario) => {
    const printed = await results(launcher, ranks, scenario);
    const numbers = range(ranks, (r) => r);
    const ofRanks = numbers.reduce((sum, r) => sum + r + 1, 0); // 1, 3, 6
    const powers = 2 ** ranks - 1;
    // 0.1 is added to each: the roundings of a sum of three differ by less than one unit in 16 digits of 148.
    const sums = range(37, (i) => expect.closeTo(powers * i + 0.1 * ranks, 12) as unknown);
    for (const [rank, result] of printed.entries()) {
      expect(result).toMatchObject({
        rank,
        size: ranks,
        inPlace: range(37, (i) => ofRanks * i),
        into: sums,
        untouched: range(37, (i) => 2 ** rank * i + 0.1),
        parts: numbers.map((r) => range(30 * r + 3, (i) => (50 * r + i) % 256)),
        aligned: true,
        none: numbers.map(() => 0),
        exchanged: numbers.flatMap((from) => range(40, (i) => (70 * from + i + 20 * rank) % 256)),
        empty: 0,
      });
      if (ranks > 1) expect(result['library']).toMatch(launcher === 'mpich' ? /^MPICH \d/ : /^Open MPI v\d/);
      expect(result['into']).toEqual(printed[0]!['into']);
      expect(result['seconds']).toBeGreaterThanOrEqual(0);
      if (ranks > 1) expect(result['seconds']).toBeGreaterThan(0);
    }
  });

  test('calls that nobody waits for run in the order in which they were made', async () => {
    const printed = await results(launcher, 2, 'order');
    const seen = range(20, (i) => (i % 2 === 0 ? `sum ${i}` : `gather ${i},0,${i},1`));
    // 1 + 2 = 3 on both after the first sum; nine more double it.
    expect(printed).toEqual([0, 1].map(() => expect.objectContaining({ total: 3 * 2 ** 9, seen }) as unknown));
  });

  test('the thread that asked goes on meanwhile', async () => {
    for (const result of await results(launcher, 2, 'alongside')) {
      expect(result).toMatchObject({ first: 3, last: 3, same: 1 });
      expect(result['turns']).toBeGreaterThan(1);
    }
  });

  test('WebAssembly that reads beyond its memory throws', async () => {
    for (const result of await results(launcher, 2, 'trap'))
      expect(result).toMatchObject({ within: 0, error: expect.stringContaining('out of bounds') as unknown });
  });

  test('wrong arguments are refused before anything is sent', async () => {
    for (const { errors } of await results(launcher, 2, 'arguments'))
      expect(errors).toEqual([
        'a sum of 3 numbers of 4 bytes does not fit into 4 of 4',
        'a sum of 3 numbers of 4 bytes does not fit into 3 of 8',
        '5 bytes cannot be cut into 2 equal parts, one for each rank',
      ]);
  });

  test('nothing can be called after close', async () => {
    for (const { error } of await results(launcher, 2, 'closed')) expect(error).toMatch(/MPI is closed/);
  });

  describe('a library that cannot be used: rank 0 says so, all exit with its code', () => {
    const other = launcher === 'mpich' ? 'openmpi' : 'mpich';
    const refusal = async (library: string) => {
      const job = await runJob({ launcher, ranks: 2, program: PROGRAM, args: ['open'], env: { THAW_MPI_LIBRARY: library } }); // prettier-ignore
      expect(job, told(job)).toMatchObject({ code: 3, timedOut: false });
      expect(job.ranks.map(({ stdout }) => stdout)).toEqual(['', '']);
      expect(job.ranks[1]!.stderr).toBe('');
      return job.ranks[0]!.stderr;
    };

    test('none there', async () =>
      expect(await refusal('/nowhere/libmpi.so')).toMatch(
        /started by an MPI launcher, as one of 2 processes, and the MPI library that THAW_MPI_LIBRARY names cannot be loaded: \/nowhere\/libmpi\.so \(.*No such file/,
      ));

    test('none of MPI', async () =>
      expect(await refusal('libm.so.6')).toMatch(/^libm\.so\.6 is no MPI library: it has no MPI_Get_library_version/));

    test("another launcher's", async ({ skip }) => {
      needLauncher(other, skip);
      expect(await refusal(other === 'mpich' ? 'libmpich.so.12' : 'libmpi.so.40')).toMatch(
        /started 2 processes, this one as rank 0, but .* says rank 0 of 1: the library does not belong to the launcher\..*THAW_MPI_LIBRARY/,
      );
    });
  });

  describe('a job ends when one rank', () => {
    const end = async (scenario: string) => {
      const job = await runJob({ launcher, ranks: 2, program: PROGRAM, args: [scenario], timeoutMs: 30_000 });
      expect(job.timedOut, told(job)).toBe(false);
      return { ...job, last: job.ranks[1]!.stderr, first: job.ranks[0]!.stderr };
    };

    test('is killed', async () => expect((await end('killed')).code).toBe(launcher === 'mpich' ? 9 : 128 + 9));

    test('throws', async () => {
      const { code, last } = await end('thrown');
      expect(code).toBe(1);
      expect(last).toContain('the head fell off');
    });

    test.each([
      ['exits with a code', 'exit-4', 4],
      ['aborts', 'abort', 5],
      ['exits while it waits for a rank that never comes', 'waiting-exit-6', 6],
      ['aborts while it waits', 'waiting-abort', 7],
    ])('%s', async (_, scenario, code) => expect((await end(scenario)).code).toBe(code));

    test('throws while it waits', async () => {
      const { code, first } = await end('waiting-throw');
      expect(code).toBe(1);
      expect(first).toContain('the head fell off');
    });

    test('leaves without a word', async () => {
      const { code, last } = await end('exit-0');
      expect(code).toBe(1);
      expect(last).toMatch(/rank 1 exits without having closed MPI/);
    });
  });
});

// UCX, which MPICH of Debian is built on, tries its hooks out as it is loaded: one page on, one page off.
test('the heap keeps its last page where it cannot grow', async ({ skip }) => {
  needLauncher('mpich', skip);
  const job = await runJob({ launcher: 'mpich', ranks: 2, program: HEAP });
  expect(job, told(job)).toMatchObject({ code: 0, timedOut: false });
  expect(job.ranks.map(({ stdout }) => stdout)).toEqual(['{"cut":0}', '{"cut":0}']);
});
