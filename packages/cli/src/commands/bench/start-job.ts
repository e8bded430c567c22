// Jobs that the benchmark starts by itself on this machine: the same command again as N ranks under mpirun, each on cores of its own.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** The launcher of a kind of MPI. */
export interface Mpirun {
  readonly program: string;
  readonly kind: 'mpich' | 'openmpi';
  /** "mpirun (Open MPI) 4.1.4". */
  readonly version: string;
}

const NAMES = ['mpirun', 'mpiexec', 'mpiexec.hydra', 'mpirun.mpich', 'mpirun.openmpi'];
const REMEDY = 'install one (apt install mpich, or openmpi-bin; dnf install mpich or openmpi; brew install open-mpi), `module load` it, or name it with --mpirun'; // prettier-ignore

/**
 * The launcher that --mpirun names, or the first of PATH.
 * @throws CommandError where there is none, or it is of a kind that is not known here
 */
export async function findMpirun({ env }: Pick<Io, 'env'>, named: string | undefined): Promise<Mpirun> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const paths = (name: string): string[] => (/[\\/]/.test(name) ? [name] : folders.map((folder) => join(folder, name)));
  const program = (named === undefined ? NAMES : [named]).flatMap(paths).find((path) => existsSync(path));
  if (program === undefined)
    throw new CommandError(
      named === undefined
        ? `No mpirun was found (${NAMES.join(', ')} in PATH): ${REMEDY}.`
        : `--mpirun: there is no ${named}: ${REMEDY}.`,
    );
  const { stdout, stderr } = await promisify(execFile)(program, ['--version']).catch((error: unknown) => {
    throw new CommandError(`${program} --version cannot be run: ${error instanceof Error ? error.message : String(error)}`); // prettier-ignore
  });
  const said = `${stdout}${stderr}`;
  const [first = ''] = said.trim().split('\n');
  if (/Open ?(MPI|RTE)/i.test(said)) return { program, kind: 'openmpi', version: first };
  if (/HYDRA|MPICH|Intel\(R\) MPI/i.test(said))
    return { program, kind: 'mpich', version: /Version:\s*(\S+)/.exec(said)?.[1]?.replace(/^/, 'MPICH ') ?? first };
  throw new CommandError(`${program} is the launcher of neither MPICH (Intel MPI, MVAPICH) nor Open MPI; it calls itself "${first}". Name another with --mpirun.`); // prettier-ignore
}

/** Cores that this process may use, by number; undefined where the system does not say. */
export async function ownCores(): Promise<number[] | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return list?.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** How the ranks of all jobs share this machine, so that one rank has the same to work with in each. */
export interface CoreShares {
  /** Cores of a rank. */
  readonly cores: number;
  /** A list for taskset for each rank that has cores of its own; further ranks take turns. Undefined where nothing binds them. */
  readonly lists: readonly string[] | undefined;
}

/** @param most ranks of the largest job */
export async function shareCores(most: number, { env }: Pick<Io, 'env'>): Promise<CoreShares> {
  const own = await ownCores();
  const cores = Math.max(1, Math.floor((own?.length ?? availableParallelism()) / most));
  const canBind = (env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'taskset')));
  if (!own || !canBind) return { cores, lists: undefined };
  const count = Math.min(most, Math.floor(own.length / cores));
  return {
    cores,
    lists: Array.from({ length: count }, (_, i) => own.slice(i * cores, (i + 1) * cores).join(',')),
  };
}

/** Becomes the command, on the cores of this rank; $0 has the lists of all ranks, with blanks between them. */
const BIND =
  'r=${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-${PMI_RANK:-0}}}; set -f; i=0; n=0; for list in $0; do n=$((n+1)); done; ' +
  'r=$((r % n)); for list in $0; do [ $i -eq $r ] && break; i=$((i+1)); done; exec taskset -c "$list" "$@"';

/** What is started. */
export interface LocalJob {
  readonly mpirun: Mpirun;
  readonly ranks: number;
  readonly shares: CoreShares;
  /** Of thaw. */
  readonly args: readonly string[];
  readonly io: Pick<Io, 'env' | 'cwd'>;
  /** Takes each line that rank 0 writes. */
  readonly onLine: (line: string) => void;
}

/** Runs a job to its end. @throws CommandError with what it said where it fails */
export async function runLocalJob({ mpirun, ranks, shares, args, io, onLine }: LocalJob): Promise<void> {
  const [, thaw = ''] = process.argv;
  const command = [process.execPath, ...process.execArgv, thaw, ...args];
  const bound = shares.lists ? ['sh', '-c', BIND, shares.lists.join(' '), ...command] : command;
  const isOpenMpi = mpirun.kind === 'openmpi';
  const words = [...(isOpenMpi ? ['--oversubscribe', '--bind-to', 'none'] : []), '-n', String(ranks), ...bound];
  const child = spawn(mpirun.program, words, {
    cwd: io.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...io.env,
      // Mesa's software device takes all cores otherwise.
      LP_NUM_THREADS: String(shares.cores),
      // Open MPI refuses to start anything as root unless it is told twice; this is but ourselves.
      ...(isOpenMpi && process.getuid?.() === 0
        ? { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
        : {}),
    },
  });
  let [line, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const one of lines) onLine(one);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal));
  }).finally(() => process.off('exit', end));
  if (code === 0) return;
  const said = errors.trim().split('\n').filter((text) => /^thaw:/.test(text)).join('\n') || errors.trim().slice(-2000); // prettier-ignore
  throw new CommandError(`A job of ${ranks} under ${mpirun.program} ended with ${String(code)}: ${said}`);
}
