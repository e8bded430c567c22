// What is kept of a run when the disk is full, its folder cannot be written any more, a checkpoint is damaged, or a signal ends it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '@thaw/model';
import { loadCheckpoint } from '@thaw/model/node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from './errors.ts';
import { runChild, type Ended } from './testing/child.ts';
import { temporaryFolder, thaw } from './testing/stand-in.ts';

/** A frozen run on WebAssembly; its epochs take milliseconds. */
const LINE = 'train --data generated --limit-train 24 --limit-test 4 --weights random --image-size 32 --batch-size 8 --backend wasm --json'; // prettier-ignore
const epochOf = async (path: string): Promise<number> => (await loadCheckpoint(path)).progress.epoch;

/** Runs `act` when the epoch has been told. */
const afterEpoch = (epoch: number, act: () => void) => (text: string) => {
  if (text.includes(`"event":"epoch","epoch":${epoch},`)) act();
};

// Every write to /dev/full fails as on a full disk.
test.skipIf(!existsSync('/dev/full'))('a full disk stops the run; it goes on from what is kept', async () => {
  const folder = await temporaryFolder();
  const run = join(folder, 'run');
  const last = join(run, 'last.safetensors');
  let full: Promise<void> | undefined;
  const fill = afterEpoch(2, () => {
    full = symlink('/dev/full', `${last}.${process.pid}.tmp`);
  });
  const stopped = await thaw(`${LINE} --epochs 6 --output run`, folder, fill);
  await full;
  expect(stopped.code).toBe(EXIT.failed);
  expect(stopped.stderr).toContain(`The disk is full (writing ${last}). Free some space`);
  expect(stopped.stderr).toMatch(/The run up to epoch \d is kept: thaw train --resume .*run goes on from there\./);
  expect(await epochOf(last)).toBeGreaterThanOrEqual(2);
  expect((await readdir(run)).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  const resumed = await thaw('train --resume run', folder);
  expect(resumed.stderr).not.toContain('thaw:');
  expect(resumed.code).toBe(EXIT.done);
  expect(await epochOf(last)).toBe(6);
});

test('a folder that becomes read-only stops the run; it goes on when it can be written again', async ({ skip }) => {
  const folder = await temporaryFolder();
  const run = join(folder, 'run');
  await mkdir(run);
  const mount = (...args: string[]): void => void execFileSync('mount', [...args, run], { stdio: 'pipe' });
  try {
    mount('-t', 'tmpfs', '-o', 'size=16m', 'tmpfs');
  } catch {
    skip('only root can mount a file system of its own, and this process may not');
  }
  onTestFinished(() => void execFileSync('umount', [run]));
  const stopped = await thaw(`${LINE} --epochs 6 --output run`, folder, afterEpoch(2, () => mount('-o', 'remount,ro'))); // prettier-ignore
  expect(stopped.code).toBe(EXIT.failed);
  expect(stopped.stderr).toContain('cannot be written: the file system is read-only');
  expect(stopped.stderr).toMatch(/The run up to epoch \d is kept: thaw train --resume/);
  expect(await epochOf(join(run, 'last.safetensors'))).toBeGreaterThanOrEqual(2);
  const still = await thaw('train --resume run', folder);
  expect(still.code).toBe(EXIT.failed);
  expect(still.stderr).toContain('config.json cannot be written: the file system is read-only');
  mount('-o', 'remount,rw');
  const resumed = await thaw('train --resume run', folder);
  expect(resumed.code).toBe(EXIT.done);
  expect(await epochOf(join(run, 'last.safetensors'))).toBe(6);
});

test('a damaged checkpoint is named, and what stands in for it', async () => {
  const folder = await temporaryFolder();
  const [last, best] = ['last', 'best'].map((name) => join(folder, 'run', `${name}.safetensors`)) as [string, string];
  expect((await thaw(`${LINE} --epochs 2 --output run`, folder)).code).toBe(EXIT.done);
  await truncate(last, 100);
  const evaluated = await thaw('evaluate run --checkpoint last --limit-test 4 --backend wasm', folder);
  expect(evaluated.stderr).toMatch(/last\.safetensors: .*truncated.*last\.previous\.safetensors, the one before it, is used/); // prettier-ignore
  expect(evaluated.code).toBe(EXIT.done);
  const resumed = await thaw('train --resume run', folder);
  expect(resumed.stderr).toContain('the one before it, is used instead');
  expect(resumed.code).toBe(EXIT.done);
  expect(await epochOf(last)).toBe(2);
  const metrics = (await readFile(join(folder, 'run', 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(metrics.map((line) => (JSON.parse(line) as { epoch: number }).epoch)).toEqual([1, 2]);

  const bytes = await readFile(best);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(best, bytes);
  const named = await thaw('evaluate run --limit-test 4 --backend wasm', folder);
  expect(named.stderr).toMatch(/best\.safetensors: damaged: its SHA-256 is .* Use --checkpoint last\./);
  expect(named.code).toBe(EXIT.failed);
  const again = await thaw('train --resume run', folder);
  expect(again.stderr).toMatch(/best\.safetensors: damaged: .* The weights of the last epoch are used instead\./);
  expect(again.code).toBe(EXIT.done);
});

describe('the command in a process of its own', () => {
  const PROGRAM = new URL('./testing/thaw.program.js', import.meta.url);
  const line = (run: string): string[] => `${LINE} --epochs 100 --trunk device --output ${run}`.split(' ');
  const RESUME = ['train', '--resume', 'run', '--json'];
  let whole: Checkpoint;
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'thaw-whole-'));
    expect((await runChild(PROGRAM, line('whole'), { cwd: home, env: { THAW_HOME: home } })).code).toBe(EXIT.done);
    whole = await loadCheckpoint(join(home, 'whole', 'last.safetensors'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  test.each([
    // Each signal with a run of its own; SIGKILL besides, in a run that is resumed already.
    ['SIGINT', EXIT.interrupted, false],
    ['SIGTERM', EXIT.terminated, true],
  ] as const)(
    '%s: it writes a checkpoint and exits with %i; resumed, it ends as one left alone',
    async (name, code, isKilled) => {
      const cwd = await temporaryFolder();
      const run = (args: string[], signal: NodeJS.Signals, epoch: number): Promise<Ended> =>
      runChild(PROGRAM, args, { cwd, env: { THAW_HOME: cwd }, signal: { name: signal, after: `"event":"epoch","epoch":${epoch},` } }); // prettier-ignore
      const stopped = await run(line('run'), name, 3);
      expect(stopped.stderr).toContain('Interrupted; a checkpoint is saved. Go on with: thaw train --resume');
      expect({ code: stopped.code, signal: stopped.signal }).toEqual({ code, signal: null });
      const { progress } = await loadCheckpoint(join(cwd, 'run', 'last.safetensors'));
      expect(progress.epoch).toBeGreaterThanOrEqual(3);
      expect(progress.epoch).toBeLessThan(100);
      if (isKilled) expect((await run(RESUME, 'SIGKILL', 50)).signal).toBe('SIGKILL');
      const resumed = await run(RESUME, name, Infinity);
      expect(resumed.code).toBe(EXIT.done);
      const ended = await loadCheckpoint(join(cwd, 'run', 'last.safetensors'));
      expect(ended.variables).toEqual(whole.variables);
      expect(ended.optimizer).toEqual(whole.optimizer);
      expect(ended.progress.bestEpoch).toBe(whole.progress.bestEpoch);
    },
  );
});
