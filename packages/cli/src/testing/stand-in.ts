// The surroundings of a command under test: what it writes is kept, the environment is empty but for what is given.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Io } from '../io.ts';
import { main } from '../main.ts';

export interface StandIn extends Io {
  readonly written: { stdout: string; stderr: string };
}

/** @param onOut called with each piece of standard output */
export function standIn(given: Partial<Io> = {}, onOut?: (text: string) => void): StandIn {
  const written = { stdout: '', stderr: '' };
  return {
    written,
    env: {},
    cwd: tmpdir(),
    commandLine: 'thaw (test)',
    stdout: {
      write(text) {
        written.stdout += text;
        onOut?.(text);
      },
    },
    stderr: { write: (text) => (written.stderr += text) },
    ...given,
  };
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thaw-cli-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Of --json. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** Runs a command line, words between spaces, in a folder that is also THAW_HOME. */
export async function thaw(
  line: string,
  cwd: string,
  onOut?: (text: string) => void,
  stdin?: Io['stdin'],
): Promise<Ran> {
  const io = standIn({ cwd, env: { THAW_HOME: cwd }, stdin }, onOut);
  const code = await main(line.split(' '), io);
  const { stdout, stderr } = io.written;
  const events = stdout.startsWith('{')
    ? stdout.trimEnd().split('\n').map((row) => JSON.parse(row) as Record<string, unknown>) // prettier-ignore
    : [];
  return { code, stdout, stderr, events };
}
