// The ranks of a job as a command sees them: what all do together, what rank 0 does for all, what all must agree on. A failure on
// one rank is a failure on all. In a command that runs alone each of these is the work itself.
import type { Group } from '@thaw/model';
import { CommandError, exitCodeOf, explain, UsageError, EXIT } from '../errors.ts';
import { plural } from '../text/format.ts';

/** What a command does on several ranks: shares its work, runs on rank 0 alone, or refuses. */
export type RankUse = 'share' | 'first' | 'refuse';

/** What ranks must have in common, by what it is called. */
export type Facts = Readonly<Record<string, string | undefined>>;

/** What a rank tells of what failed on it. */
interface Failure {
  readonly message: string;
  readonly exitCode: number;
}

export class Ranks {
  readonly #shared = new WeakSet<Error>();

  /** @param group of several ranks; undefined where a command runs alone */
  constructor(readonly group: Group | undefined) {}

  get rank(): number {
    return this.group?.rank ?? 0;
  }

  get size(): number {
    return this.group?.size ?? 1;
  }

  /** Whether this is the rank that speaks and writes. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** Every rank does it, and goes on where all could. @throws on every rank what failed on any, with the ranks' numbers */
  async together<T>(work: () => T | Promise<T>): Promise<T> {
    if (!this.group) return work();
    const own = await outcomeOf(work);
    const told = await this.gather<Failure | null>('error' in own ? failureOf(own.error) : null);
    const failures = told.flatMap((failure, rank) => (failure ? [{ rank, ...failure }] : []));
    if (failures.length === 0 && 'value' in own) return own.value;
    throw this.#share(combined(failures, this.size, 'error' in own ? own.error : undefined));
  }

  /** Rank 0 does it; what it came to, as JSON keeps it, is what all get. @throws on every rank what failed there */
  async fromFirst<T>(work: () => T | Promise<T>): Promise<T> {
    if (!this.group) return work();
    const own = this.isFirst ? await outcomeOf(work) : undefined;
    const told = own && ('error' in own ? { failure: failureOf(own.error) } : { value: own.value });
    const [first] = await this.gather<{ failure?: Failure; value?: T } | null>(told ?? null);
    if (first?.failure) throw this.#share(own && 'error' in own ? own.error : errorOf(first.failure));
    // JSON has no undefined: a value that is absent is one.
    return own && 'value' in own ? own.value : (first?.value as T);
  }

  /** Rank 0 does it and keeps what it came to; others have `other`. @throws on every rank what failed there */
  async onFirst<T>(work: () => T | Promise<T>, other: T): Promise<T> {
    let own = other;
    await this.fromFirst(async () => {
      own = await work();
      return null;
    });
    return own;
  }

  /** Bytes that rank 0 has, for all. @throws on every rank what failed there */
  async bytesFromFirst(work: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    if (!this.group) return work();
    const own = await this.onFirst(work, undefined);
    if (!(await this.fromFirst(() => own !== undefined))) return undefined;
    const [bytes] = await this.group.gather(own ?? new Uint8Array());
    return bytes;
  }

  /**
   * For what may have to be downloaded into a folder that ranks share: rank 0 fetches it, the others look, and fetch for
   * themselves only what they do not find once rank 0 has it.
   */
  async fetching<T>(work: (download: boolean) => Promise<T>): Promise<T> {
    if (!this.group) return work(true);
    const early = await outcomeOf(() => work(this.isFirst));
    await this.fromFirst(() => {
      if ('error' in early) throw early.error;
    });
    return this.together(() => ('error' in early ? work(true) : early.value));
  }

  /** @throws UsageError on every rank where some have other facts than rank 0, naming which and what */
  async agree(facts: Facts): Promise<void> {
    if (!this.group) return;
    const all = await this.gather<Facts>(facts);
    const names = new Set(all.flatMap((one) => Object.keys(one)));
    const differences = [...names].flatMap((name) => difference(name, all));
    if (differences.length === 0) return;
    const message = `The ranks of this job disagree: ${differences.join('; ')}. Start all of them with the same options, data, weights and version of Thaw.`; // prettier-ignore
    throw this.#share(new UsageError(message));
  }

  /** What every rank has, as JSON keeps it, in the order of the ranks. */
  async gather<T>(value: T): Promise<T[]> {
    if (!this.group) return [value];
    const all = await this.group.gather(new TextEncoder().encode(JSON.stringify(value)));
    return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  /**
   * The exit code of work that all ranks stop: by the signal that any of them got, SIGTERM's before Ctrl-C's. Launchers differ in
   * whose exit code theirs is.
   * @param own of the signal that this rank got, EXIT.interrupted where it got none
   */
  async exitCode(own: number): Promise<number> {
    return Math.max(...(await this.gather(own)));
  }

  /** Marks an error that every rank throws: one of them tells it, and none need be ended by another. */
  share<E extends Error>(error: E): E {
    if (this.group) this.#share(error);
    return error;
  }

  /** Whether every rank throws this, or what caused it. */
  isShared(error: unknown): boolean {
    for (let at = error; at instanceof Error; at = at.cause) if (this.#shared.has(at)) return true;
    return false;
  }

  #share(error: unknown): Error {
    const shared = error instanceof Error ? error : new Error(String(error));
    this.#shared.add(shared);
    return shared;
  }
}

/** A command in a process of its own. */
export const ALONE = new Ranks(undefined);

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

const failureOf = (error: unknown): Failure => ({ message: explain(error), exitCode: exitCodeOf(error) });

const errorOf = ({ message, exitCode }: Failure): Error =>
  exitCode === EXIT.usage ? new UsageError(message) : new CommandError(message);

/** One error of all ranks: the own one where all failed alike. */
function combined(failures: readonly (Failure & { readonly rank: number })[], size: number, own: unknown): unknown {
  const byMessage = new Map<string, number[]>();
  for (const { message, rank } of failures) byMessage.set(message, [...(byMessage.get(message) ?? []), rank]);
  const [first] = failures;
  if (own !== undefined && byMessage.size === 1 && failures.length === size) return own;
  const text = [...byMessage].map(([message, ranks]) => `${ranksText(ranks, size)}: ${message}`);
  return errorOf({ message: text.join('\n'), exitCode: first?.exitCode ?? EXIT.failed });
}

function difference(name: string, all: readonly Facts[]): string[] {
  const [first = {}] = all;
  const others = new Map<string | undefined, number[]>();
  for (const [rank, facts] of all.entries())
    if (facts[name] !== first[name]) others.set(facts[name], [...(others.get(facts[name]) ?? []), rank]);
  if (others.size === 0) return [];
  const shown = (value: string | undefined): string => value ?? 'nothing';
  const rest = [...others].map(([value, ranks]) => `${shown(value)} on ${ranksText(ranks, all.length)}`);
  return [`${name} is ${shown(first[name])} on rank 0, ${rest.join(', ')}`];
}

/** "rank 2", "ranks 1, 2 and 5", "ranks 1 to 7", "all 4 ranks". */
export function ranksText(ranks: readonly number[], size: number): string {
  const [first = 0] = ranks;
  const last = ranks.at(-1) ?? first;
  if (ranks.length === size && size > 1) return `all ${plural(size, 'rank')}`;
  if (ranks.length === 1) return `rank ${first}`;
  if (ranks.length > 2 && last - first === ranks.length - 1) return `ranks ${first} to ${last}`;
  return `ranks ${ranks.slice(0, -1).join(', ')} and ${last}`;
}
