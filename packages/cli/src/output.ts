// What a command says: text for people, warnings, and newline-delimited JSON events for machines.
import pc from 'picocolors';
import type { Io, Sink } from './io.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** How a command was asked to speak. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** Standard output is for answers alone, which another program reads; people's text goes to stderr. */
  readonly isPiped?: boolean | undefined;
}

/** Speaks for one command. With --json, stdout carries events only and people's text goes to stderr. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colors: Colors;
  /** The stream for people. */
  readonly sink: Sink;
  readonly isTerminal: boolean;
  /** Columns of the terminal; elsewhere COLUMNS, or 120. */
  readonly width: number;
  readonly #io: Io;

  constructor(io: Io, options: OutputOptions = {}) {
    this.#io = io;
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
    this.sink = this.json || options.isPiped ? io.stderr : io.stdout;
    // Open MPI lends its processes a terminal of no width, whatever its own output is.
    this.isTerminal = this.sink.isTTY === true && this.sink.columns !== 0 && io.env['TERM'] !== 'dumb' && !isCi(io);
    this.width = widthOf(io, this.sink, this.isTerminal);
    this.colors = pc.createColors(wantsColor(io, this.isTerminal));
  }

  /** News on the way; silent with --quiet. */
  say(text = ''): void {
    if (!this.quiet) this.sink.write(`${text}\n`);
  }

  /** The answer that the command was asked for. With --json the events carry it, and --quiet silences this text. */
  result(text = ''): void {
    if (!(this.json && this.quiet)) this.sink.write(`${text}\n`);
  }

  /** One of the answers that the command was asked for, as it comes: on standard output, whoever reads it. */
  answer(text: string): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** Something that the person should know although the command goes on. */
  warn(text: string): void {
    this.#io.stderr.write(`${this.colors.yellow('warning:')} ${text}\n`);
    this.event('warning', { message: text });
  }

  /** A warning that every rank of a job gives for itself; others are rank 0's, for all. */
  warnHere(text: string): void {
    const { job } = this.#io;
    if (!job || job.speaks) this.warn(text);
    else job.voice.write(`warning: ${job.name}: ${text}\n`);
  }

  /** An image that could not be read. */
  skipped({ path, reason }: { readonly path: string; readonly reason: string }): void {
    this.warnHere(`skipped ${path}: ${reason}`);
  }

  /** One line of JSON on stdout; nothing without --json. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.json) this.#io.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  }
}

/** A build server may lend a terminal, but nobody looks at it. */
const isCi = ({ env: { CI } }: Io): boolean => CI !== undefined && !['', '0', 'false'].includes(CI);

function widthOf({ env }: Io, { columns }: Sink, isTerminal: boolean): number {
  const asked = /^\d+$/.test(env['COLUMNS'] ?? '') ? Number(env['COLUMNS']) : undefined;
  return Math.max(20, (isTerminal ? (columns ?? asked ?? 80) : asked) ?? 120);
}

/** NO_COLOR and FORCE_COLOR win over what the stream is. */
export function wantsColor(io: Io, isTerminal: boolean): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force } = io.env;
  if (no !== undefined && no !== '') return false;
  if (force !== undefined && force !== '') return force !== '0';
  return isTerminal;
}
