// Ranks without MPI: processes of this package, and a Group over the channel to the process that started them.
import { fork } from 'node:child_process';
import type { Group } from '../parallel/group.ts';
import type { RankJob, RankResult } from './rank-job.ts';

/** A collective call of one rank. */
export interface Call {
  readonly kind: 'sum32' | 'sum64' | 'gather' | 'allToAll';
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface Answer {
  readonly number: number;
  readonly parts: readonly Uint8Array[];
}

const PROGRAM = new URL('./rank.program.js', import.meta.url);

/** Runs a job on so many ranks, each a process and a device of its own. @returns what each came to, by rank */
export function runRanks(size: number, job: RankJob): Promise<RankResult[]> {
  const results: RankResult[] = [];
  const calls = new Map<number, Map<number, Call>>();
  const children = Array.from({ length: size }, (_, rank) =>
    fork(PROGRAM, [String(rank), String(size)], { serialization: 'advanced' }),
  );
  for (const child of children) child.send(job);
  const answer = (rank: number, call: Call): void => {
    const all = calls.get(call.number) ?? new Map<number, Call>();
    calls.set(call.number, all.set(rank, call));
    if (all.size < size) return;
    calls.delete(call.number);
    const given = children.map((_, one) => all.get(one) ?? call);
    const kinds = new Set(given.map(({ kind }) => kind));
    if (kinds.size > 1) throw new Error(`ranks call different things: ${[...kinds].join(', ')}`);
    children.forEach((child, to) => child.send({ number: call.number, parts: partsFor(to, given) } satisfies Answer));
  };
  return new Promise((resolve, reject) => {
    let open = size;
    children.forEach((child, rank) => {
      child.on('message', (message: Call | { result: RankResult }) => {
        if ('result' in message) results[rank] = message.result;
        else answer(rank, message);
      });
      child.on('error', reject);
      child.on('close', (code) => {
        if (code !== 0) {
          for (const other of children) other.kill('SIGKILL');
          reject(new Error(`rank ${rank} ended with ${String(code)}`));
        } else if (--open === 0) resolve(results);
      });
    });
  });
}

function partsFor(rank: number, calls: readonly Call[]): Uint8Array[] {
  const [first] = calls;
  if (!first) return [];
  switch (first.kind) {
    case 'gather':
      return calls.map(({ bytes }) => bytes);
    case 'allToAll':
      return calls.map(({ bytes }) => {
        const part = bytes.length / calls.length;
        return bytes.subarray(rank * part, (rank + 1) * part);
      });
    case 'sum32':
      return [bytesOf(added(calls.map(({ bytes }) => new Float32Array(bytes.slice().buffer))))];
    case 'sum64':
      return [bytesOf(added(calls.map(({ bytes }) => new Float64Array(bytes.slice().buffer))))];
    default:
      return first.kind satisfies never;
  }
}

function added<Values extends Float32Array | Float64Array>(all: readonly Values[]): Values {
  const [first, ...others] = all;
  if (!first) throw new Error('nothing to add up');
  for (const other of others) for (let i = 0; i < first.length; i++) first[i] = (first[i] ?? 0) + (other[i] ?? 0);
  return first;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** This process's end of it. */
export function channelGroup(rank: number, size: number): Group {
  const waiting = new Map<number, (parts: readonly Uint8Array[]) => void>();
  let number = 0;
  process.on('message', (answer: Answer) => {
    waiting.get(answer.number)?.(answer.parts);
    waiting.delete(answer.number);
  });
  const call = (kind: Call['kind'], bytes: Uint8Array): Promise<readonly Uint8Array[]> => {
    const mine = number++;
    return new Promise((resolve) => {
      waiting.set(mine, resolve);
      process.send?.({ kind, number: mine, bytes: bytes.slice() } satisfies Call);
    });
  };
  return {
    rank,
    size,
    seconds: 0,
    async sum(values, into = values) {
      const [sums = new Uint8Array()] = await call(values instanceof Float64Array ? 'sum64' : 'sum32', bytesOf(values));
      bytesOf(into).set(sums);
    },
    gather: async (bytes) => [...(await call('gather', bytes))],
    async allToAll(bytes) {
      const parts = await call('allToAll', bytes);
      const whole = new Uint8Array(bytes.length);
      parts.forEach((part, i) => {
        whole.set(part, i * part.length);
      });
      return whole;
    },
  };
}
