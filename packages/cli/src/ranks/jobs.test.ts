// The command on real ranks, of both kinds of MPI: what they come to together is what one process comes to, and all end alike.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint } from '@thaw/model/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { LAUNCHERS, needLauncher, runJob, type JobOptions, type JobResult, type LauncherName } from '../../../mpi/src/testing/job.ts'; // prettier-ignore
import { runChild } from '../testing/child.ts';
import { noisyPictures } from '../testing/pictures.ts';

const COMMAND = new URL('../testing/rank.program.js', import.meta.url);
const TINY = new URL('../testing/tiny-run.program.js', import.meta.url);
/** Of all tests: with a trunk that is frozen, WebAssembly is quick. */
const TRAIN = 'train --data pictures --weights random --image-size 32 --epochs 4 --batch-norm frozen --thaw none --augment none --validation-split 0.25 --learning-rate 1e-3 --schedule constant --l2 0 --class-weights none --backend wasm --json'; // prettier-ignore
const PATIENCE = 110_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thaw-ranks-'));
  await noisyPictures(join(folder, 'pictures'), 9);
  await alone(`${TRAIN} --batch-size 6 --output one`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const env = (): Record<string, string> => ({ THAW_HOME: folder });

const answers = new Map<string, Promise<string>>();
/** The command in one process, once. */
function alone(line: string): Promise<string> {
  const answer = answers.get(line) ?? runAlone(line);
  answers.set(line, answer);
  return answer;
}

async function runAlone(line: string): Promise<string> {
  const { code, stdout, stderr } = await runChild(COMMAND, line.split(' '), { cwd: folder, env: env() });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The command, or the tiny run, on ranks. */
const together = (launcher: LauncherName, ranks: number, line: string, more: Partial<JobOptions> = {}): Promise<JobResult> => // prettier-ignore
  runJob({ launcher, ranks, program: COMMAND, args: line.split(' '), cwd: folder, timeoutMs: PATIENCE, ...more, env: { ...env(), ...more.env } }); // prettier-ignore

const resultOf = (stdout: string): Record<string, unknown> =>
  JSON.parse(stdout.split('\n').find((line) => line.startsWith('{"event":"result"')) ?? '{}') as Record<
    string,
    unknown
  >;

async function metricsOf(run: string): Promise<Record<string, number>[]> {
  const text = await readFile(join(folder, run, 'metrics.jsonl'), 'utf8');
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, number>); // prettier-ignore
}

const told = (job: JobResult): string => JSON.stringify(job, undefined, 2);

// Three ranks on one kind of MPI, two on the other: batches of 2 and of 3 are steps of 6 images, as of the one process.
const SIZES: Record<LauncherName, number> = { mpich: 2, openmpi: 3 };

// Ranks that wait keep their cores busy, and there may be fewer cores than ranks.
describe.each(LAUNCHERS)('ranks of %s', { timeout: 2 * PATIENCE }, (launcher) => {
  beforeEach(({ skip }) => needLauncher(launcher, skip));
  const size = SIZES[launcher];

  test('train a head on features that they share, as one process does, and score alike', async () => {
    await rm(join(folder, launcher), { recursive: true, force: true });
    const job = await together(launcher, size, `${TRAIN} --batch-size ${6 / size} --output ${launcher}`);
    expect(job.code, told(job)).toBe(0);
    const [first, ...others] = job.ranks;
    const [got, wanted] = [await metricsOf(launcher), await metricsOf('one')];
    expect(got).toHaveLength(4);
    for (const [i, record] of got.entries()) {
      // Sums over a step of 6 images in another order, 16 steps; losses are of the order of 1.
      expect(record['loss']).toBeCloseTo(wanted[i]!['loss']!, 3);
      expect(record['validationLoss']).toBeCloseTo(wanted[i]!['validationLoss']!, 3);
    }
    const summary = JSON.parse(await readFile(join(folder, launcher, 'summary.json'), 'utf8')) as Record<string, unknown>; // prettier-ignore
    expect(summary['ranks']).toMatchObject({ size, library: expect.stringMatching(launcher === 'mpich' ? /^MPICH/ : /^Open MPI/) as string, devices: new Array(size).fill({ backend: 'wasm' }).map((one: object) => expect.objectContaining(one) as object) }); // prettier-ignore
    // "red/broken.png" is told by the rank that met it, and noted by rank 0.
    expect(summary['skipped']).toMatchObject([{ path: expect.stringContaining('broken.png') as string }]);
    expect(job.ranks.map(({ stderr }) => stderr).join('')).toContain('broken.png');
    expect(others.map(({ stdout }) => stdout)).toEqual(others.map(() => ''));
    expect(resultOf(first!.stdout)).toMatchObject({ images: summary['images'] });
  });

  test('evaluate counts what one process counts', async () => {
    const evaluate = 'evaluate one --data pictures --split train --batch-size 4 --backend wasm --trunk device --json';
    const evaluated = await together(launcher, size, evaluate);
    expect(evaluated.code, told(evaluated)).toBe(0);
    const scores = resultOf(evaluated.ranks[0]!.stdout);
    const { trunk: _trunk, ...wanted } = resultOf(await alone(evaluate));
    // Batches after the unreadable image are others: to rounding. What is counted is counted exactly.
    expect(scores).toMatchObject({ images: 27, skipped: 1, confusion: wanted['confusion'], accuracy: wanted['accuracy'], classes: wanted['classes'] }); // prettier-ignore
    expect(scores['loss']).toBeCloseTo(wanted['loss'] as number, 5);
  });

  test('features give the bytes that one process gives', async () => {
    const features = 'features --data pictures --split train --range 0:15 --weights random --image-size 32 --batch-size 4 --backend wasm --trunk device'; // prettier-ignore
    await alone(`${features} --output one.npy`);
    const extracted = await together(launcher, size, `${features} --output ${launcher}.npy`);
    expect(extracted.code, told(extracted)).toBe(0);
    for (const name of ['', '-labels']) expect(Buffer.compare(await readFile(join(folder, `${launcher}${name}.npy`)), await readFile(join(folder, `one${name}.npy`)))).toBe(0); // prettier-ignore
  });

  test('predict gives the answers that one process gives, in its order', async () => {
    const predict = 'predict --run one --backend wasm --trunk device --batch-size 4 --format csv pictures';
    const named = await together(launcher, size, predict);
    expect(named.code, told(named)).toBe(0);
    expect(named.ranks[0]!.stdout).toBe(await alone(predict));
    expect(named.ranks.slice(1).map(({ stdout }) => stdout).join('')).toBe(''); // prettier-ignore
  });

  test('are refused where they disagree or cannot share, by one message, and exit with 2', async () => {
    const said = async (line: string, others: string): Promise<string> => {
      const job = await together(launcher, size, line, { env: { THAW_TEST_OTHERS: others } });
      expect(job.code, told(job)).toBe(2);
      expect(job.ranks.slice(1).map(({ stderr }) => stderr).join('')).toBe(''); // prettier-ignore
      return job.ranks[0]!.stderr;
    };
    const those = size === 2 ? 'rank 1' : 'ranks 1 and 2';
    expect(await said(`${TRAIN} --batch-size 2 --output no`, '--seed 2 --adapter mine')).toContain(`--seed is nothing on rank 0, 2 on ${those}`); // prettier-ignore
    expect(await said('serve --run one', '')).toMatch(/^thaw: thaw serve works in one process, and mpirun started \d/);
    expect(await readdir(folder)).not.toContain('no');
  });

  const tiny = (run: string, ranks: number, signal = ''): Promise<JobResult> =>
    together(launcher, ranks, `${join(folder, run)} ${join(folder, 'pictures')} cpu`, { program: TINY, env: { THAW_TEST_SIGNAL: signal } }); // prettier-ignore

  test('a signal to one stops all after the same step; other numbers of ranks go on from there', async () => {
    const run = `cut-${launcher}`;
    await rm(join(folder, run), { recursive: true, force: true });
    const cut = await tiny(run, 2, '1:SIGTERM:4');
    expect(cut.code, told(cut)).toBe(143);
    const { progress } = await loadCheckpoint(join(folder, run, 'last.safetensors'));
    // 21 images train, 8 in a step of two ranks: three steps an epoch. The signal comes with the fourth; the next is the last.
    expect(progress).toMatchObject({ epoch: 1, step: 2, position: 16, totalSteps: 5, globalBatch: 8 });
    const resumed = await tiny(run, size === 2 ? 3 : 1);
    expect(resumed.code, told(resumed)).toBe(0);
    expect((await metricsOf(run)).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
  });

  test('a killed one ends the job; the last checkpoint goes on', async () => {
    const run = `killed-${launcher}`;
    await rm(join(folder, run), { recursive: true, force: true });
    const killed = await tiny(run, 2, '1:SIGKILL:7');
    expect(killed.timedOut, told(killed)).toBe(false);
    expect(killed.code).not.toBe(0);
    expect((await loadCheckpoint(join(folder, run, 'last.safetensors'))).progress.epoch).toBe(2);
    const resumed = await tiny(run, 2);
    expect(resumed.code, told(resumed)).toBe(0);
    expect((await metricsOf(run)).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
  });
});
