// Jobs of tests: a program as N ranks under a launcher of this machine, with a time limit, its output by rank. For the tests of
// other packages too.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The launchers that `npm test` installs where it may. */
export const LAUNCHERS = ['mpich', 'openmpi'] as const;
/** One of them. */
export type LauncherName = (typeof LAUNCHERS)[number];

/** `npm test` names in it the launchers that are missing and cannot be installed. */
const missing = (process.env['THAW_NO_MPI'] ?? '').split(/[\s,]+/).filter(Boolean);

/** Why tests under a launcher are skipped, or undefined where they run. */
function noLauncher(launcher: LauncherName): string | undefined {
  return missing.includes(launcher) ? `needs ${launcher}, and THAW_NO_MPI says that there is none` : undefined;
}

/** Skips the test at hand, and says why, where there is no such launcher. @param skip of the test's context */
export function needLauncher(launcher: LauncherName, skip: (note: string) => void): void {
  const reason = noLauncher(launcher);
  if (reason !== undefined) skip(reason);
}
for (const launcher of LAUNCHERS) {
  const reason = noLauncher(launcher);
  if (reason !== undefined) console.warn(`SKIPPED: every test under this MPI: ${reason}`);
}

/** mpirun and what it needs to start more ranks than there are cores, as root, in a container. */
const COMMANDS: Record<LauncherName, { program: string; args: string[]; env: Record<string, string> }> = {
  mpich: { program: 'mpiexec.mpich', args: [], env: {} },
  openmpi: {
    program: 'mpirun.openmpi',
    args: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
    // Containers forbid a process to read another's memory.
    env: { OMPI_MCA_btl_vader_single_copy_mechanism: 'none' },
  },
};

/** Becomes the program, with output and process id in files named by rank. */
const RANK_SCRIPT =
  'r=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}; echo $$ > "$0/$r.pid"; exec "$@" > "$0/$r.out" 2> "$0/$r.err"';

/** What is run. */
export interface JobOptions {
  readonly launcher: LauncherName;
  readonly ranks: number;
  /** A file for Node. */
  readonly program: string | URL;
  readonly args?: readonly string[];
  /** On top of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: 60 s. */
  readonly timeoutMs?: number;
}

/** What became of a job. */
export interface JobResult {
  /** mpirun's exit code; -1 where the time was up, or a signal ended it. */
  readonly code: number;
  /** What each rank wrote. */
  readonly ranks: readonly { readonly stdout: string; readonly stderr: string }[];
  /** What mpirun itself wrote. */
  readonly launcherOutput: string;
  readonly timedOut: boolean;
  readonly seconds: number;
}

/** Runs a job to its end; nothing of it is left then. @throws where the launcher cannot be started */
export async function runJob(options: JobOptions): Promise<JobResult> {
  const { launcher, ranks, program, args = [], env = {}, cwd, timeoutMs = 60_000 } = options;
  const command = COMMANDS[launcher];
  const folder = await mkdtemp(join(tmpdir(), 'thaw-job-'));
  const file = program instanceof URL ? fileURLToPath(program) : program;
  const words = [
    ...command.args,
    '-n',
    String(ranks),
    'sh',
    '-c',
    RANK_SCRIPT,
    folder,
    process.execPath,
    file,
    ...args,
  ];
  const began = performance.now();
  try {
    const child = spawn(command.program, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...command.env, ...env },
      cwd,
    });
    let launcherOutput = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (launcherOutput += text));
    let timedOut = false;
    // mpirun takes its ranks along where it is asked to, and is made to where it does not answer.
    const kill = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
    }, timeoutMs);
    const force = setTimeout(() => void killRanks(folder).then(() => child.kill('SIGKILL')), timeoutMs + 5000);
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (error) =>
        reject(new Error(`${command.program} cannot be started: ${error.message}. npm test installs it.`)),
      );
      child.on('close', (exitCode) => resolve(exitCode ?? -1));
    }).finally(() => {
      clearTimeout(kill);
      clearTimeout(force);
    });
    const text = (rank: number, ending: string): Promise<string> =>
      readFile(join(folder, `${rank}.${ending}`), 'utf8').catch(() => '');
    const outputs = await Promise.all(
      Array.from({ length: ranks }, async (_, rank) => ({
        stdout: await text(rank, 'out'),
        stderr: await text(rank, 'err'),
      })),
    );
    await killRanks(folder);
    return { code: timedOut ? -1 : code, ranks: outputs, launcherOutput, timedOut, seconds: (performance.now() - began) / 1000 }; // prettier-ignore
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ends what is left of a job. */
async function killRanks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.pid')) continue;
    const pid = Number(await readFile(join(folder, name), 'utf8'));
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should have.
    }
  }
}
