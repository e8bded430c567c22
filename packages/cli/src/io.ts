// Where a command reads its surroundings and writes: the process itself, or a stand-in under test.
import type { Ranks, RankUse } from './ranks/ranks.ts';

/** A stream as far as the command needs one. */
export interface Sink {
  /** Takes text as it is to be printed. */
  write(text: string): unknown;
  /** Whether a person looks at it: colours and progress bars. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal, in characters. */
  readonly columns?: number | undefined;
}

/** The surroundings of one command. */
export interface Io {
  /** What is piped in. */
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
  /** Results. */
  readonly stdout: Sink;
  /** Progress, notes and errors. */
  readonly stderr: Sink;
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** The command as typed, for the run folder and the report. */
  readonly commandLine: string;
  /** The job of several processes that this one is a rank of. */
  readonly job?: RankOfJob | undefined;
}

/** This process as one of those that an MPI launcher started together. */
export interface RankOfJob {
  /** Whether it is the one that speaks to people. */
  readonly speaks: boolean;
  /** "rank 2 of 4". */
  readonly name: string;
  /** "openmpi". */
  readonly launcher: string;
  /** The MPI library, as "MPICH 4.0.2"; empty before it is used. */
  readonly library: string;
  /** Standard error of any rank, for what no other can tell. */
  readonly voice: Sink;
  /** Runs a command as this rank. */
  run(command: string, use: RankUse, work: (ranks: Ranks) => Promise<void>): Promise<void>;
}

/** The surroundings of this process. */
export interface ProcessIo extends Io {
  /** Lets go of standard input, which else is waited for to end. */
  readonly leaveStdin: () => void;
}

/** The surroundings of this process. */
export function processIo(): ProcessIo {
  let isOpen = false;
  return {
    // Opened where it is asked for: a pipe that nobody reads would keep the process alive.
    get stdin() {
      isOpen = true;
      return process.stdin;
    },
    leaveStdin: () => {
      if (isOpen) process.stdin.destroy();
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    commandLine: ['thaw', ...process.argv.slice(2)].map(quoted).join(' '),
  };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
