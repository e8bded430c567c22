// The job that an MPI launcher started this process in: which commands its ranks share, who speaks, and how all of them end.
import { setTimeout as sleep } from 'node:timers/promises';
import { launchOf, openGroup, type Communicator, type Launch } from '@thaw/mpi';
import { UsageError } from '../errors.ts';
import type { Io, RankOfJob, Sink } from '../io.ts';
import { ALONE, Ranks, type RankUse } from './ranks.ts';

/** Time in which rank 0 tells of what all meet, or ends the others. */
const FOR_RANK_0_MS = 3000;

const LAUNCHERS = { hydra: 'mpirun', openmpi: 'mpirun', slurm: 'srun', pmix: 'the launcher' } as const satisfies Record<Launch['launcher'], string>; // prettier-ignore

export class Job implements RankOfJob {
  readonly #env: Io['env'];
  readonly #shared = new WeakSet<Error>();
  #communicator: Communicator | undefined;
  #ranks: Ranks = ALONE;

  private constructor(
    private readonly launch: Launch,
    env: Io['env'],
    readonly voice: Sink,
  ) {
    this.#env = env;
  }

  /** Undefined where no launcher started this process, or this one alone. */
  static of({ env, stderr }: Pick<Io, 'env' | 'stderr'>): Job | undefined {
    const launch = launchOf(env);
    return launch && launch.size !== 1 ? new Job(launch, env, stderr) : undefined;
  }

  get launcher(): string {
    return this.launch.launcher;
  }

  get speaks(): boolean {
    return this.launch.rank === 0;
  }

  get name(): string {
    const { rank, size } = this.launch;
    return `rank ${rank}${size === undefined ? '' : ` of ${size}`}`;
  }

  get library(): string {
    return this.#communicator?.library ?? '';
  }

  async run(command: string, use: RankUse, work: (ranks: Ranks) => Promise<void>): Promise<void> {
    switch (use) {
      case 'first':
        return this.speaks ? work(ALONE) : undefined;
      case 'refuse':
        throw this.#share(new UsageError(`thaw ${command} works in one process, and ${LAUNCHERS[this.launch.launcher]} started ${this.launch.size ?? 'several'}; start it by itself.`)); // prettier-ignore
      case 'share':
        return this.#together(work);
      default:
        throw new Error(`unknown use of ranks: ${String(use satisfies never)}`);
    }
  }

  /**
   * Ends this process after an error, and where no other rank knows of it, the whole job.
   * @param tell says what it was
   * @returns the exit code, where this process ends by itself
   */
  async end(error: unknown, exitCode: number, tell: () => void): Promise<number> {
    if (this.#isShared(error)) {
      if (this.speaks) tell();
      // Launchers end the others with the first that goes, and rank 0 may still be about to say why.
      else if (!this.#communicator) await sleep(FOR_RANK_0_MS);
      return exitCode;
    }
    // Without MPI ranks cannot end each other; one of each machine is enough to say so.
    if (!this.#communicator && this.#isEcho) {
      await sleep(FOR_RANK_0_MS);
      return exitCode;
    }
    // What all ranks meet is told by the first, which ends the others with it.
    if (!this.speaks) await sleep(FOR_RANK_0_MS);
    tell();
    this.#communicator?.abort(exitCode);
    return exitCode;
  }

  /** Whether another rank of this machine meets what this one does: rank 0, or the machine's first. */
  get #isEcho(): boolean {
    const { rank, localRank } = this.launch;
    return rank > 0 && localRank !== undefined && (localRank === rank || localRank > 0);
  }

  async #together(work: (ranks: Ranks) => Promise<void>): Promise<void> {
    const communicator = await openGroup(this.#env);
    this.#communicator = communicator;
    this.#ranks = new Ranks(communicator && communicator.size > 1 ? communicator : undefined);
    try {
      await work(this.#ranks);
    } catch (error) {
      if (this.#isShared(error)) await communicator?.close();
      throw error;
    }
    await communicator?.close();
  }

  #share<E extends Error>(error: E): E {
    this.#shared.add(error);
    return error;
  }

  #isShared(error: unknown): boolean {
    return (error instanceof Error && this.#shared.has(error)) || this.#ranks.isShared(error);
  }
}

/** The surroundings of a rank: only rank 0 is heard and seen, but for what `Job.voice` is used for. */
export function ioOfRank(io: Io, job: Job): Io {
  const silent: Sink = { write: () => undefined };
  return {
    // Opened where it is asked for, as that of the process is.
    get stdin() {
      return io.stdin;
    },
    stdout: job.speaks ? io.stdout : silent,
    stderr: job.speaks ? io.stderr : silent,
    env: io.env,
    cwd: io.cwd,
    commandLine: io.commandLine,
    job,
  };
}
