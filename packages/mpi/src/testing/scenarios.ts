// What the ranks of the test jobs do. Ranks put in numbers that name them, so that sums and places can be reckoned by hand.
import type { Communicator } from '../communicator.ts';

type Scenario = (group: Communicator) => Promise<Record<string, unknown>>;

const range = (length: number, value: (i: number) => number): number[] => Array.from({ length }, (_, i) => value(i));

/** Bytes of a rank: 50 r, 50 r + 1 and so on. */
const uneven = (rank: number, length: number): Uint8Array => Uint8Array.from(range(length, (i) => 50 * rank + i));

async function everything(group: Communicator): Promise<Record<string, unknown>> {
  const { rank, size } = group;
  const inPlace = Float32Array.from(range(37, (i) => (rank + 1) * i));
  const values = Float64Array.from(range(37, (i) => 2 ** rank * i + 0.1));
  const into = new Float64Array(37);
  // All at once: they are worked off in this order.
  const [, , parts, none, exchanged, empty] = await Promise.all([
    group.sum(inPlace),
    group.sum(values, into),
    group.gather(uneven(rank, 30 * rank + 3)),
    group.gather(new Uint8Array(0)),
    group.allToAll(Uint8Array.from(range(40 * size, (i) => 70 * rank + (i % 40) + 20 * Math.floor(i / 40)))),
    group.allToAll(new Uint8Array(0)),
    group.barrier(),
  ]);
  return {
    inPlace: [...inPlace],
    into: [...into],
    untouched: [...values],
    parts: parts.map((part) => [...part]),
    aligned: parts.every((part) => part.byteOffset % 8 === 0),
    none: none.map((part) => part.length),
    exchanged: [...exchanged],
    empty: empty.length,
    seconds: group.seconds,
  };
}

/** Each result depends on the one before, though nobody waits: out of order they would differ. */
async function order(group: Communicator): Promise<Record<string, unknown>> {
  const total = Float64Array.of(group.rank + 1);
  const seen: string[] = [];
  const calls = range(20, (i) => i).map(
    (i) =>
    i % 2 === 0
      ? group.sum(total).then(() => seen.push(`sum ${i}`))
      : group.gather(Uint8Array.of(i, group.rank)).then((parts) => seen.push(`gather ${parts.flatMap((part) => [...part]).join(',')}`)), // prettier-ignore
  );
  await Promise.all(calls);
  return { total: total[0], seen };
}

/** The main thread goes on while numbers travel. */
async function alongside(group: Communicator): Promise<Record<string, unknown>> {
  const values = new Float32Array(1_000_000).fill(group.rank + 1);
  let turns = 0;
  let summing = true;
  const sum = group.sum(values).then(() => (summing = false));
  while (summing) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sum;
  return { turns, first: values[0], last: values.at(-1), same: new Set(values).size };
}

/** (module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load)), assembled. */
const LOAD_MODULE = '0061736d0100000001060160017f017f030201000503010001070801046c6f616400000a0901070020002802000b';

/** WebAssembly that reads beyond its memory throws, as without MPI. */
async function trap(): Promise<Record<string, unknown>> {
  const { instance } = await WebAssembly.instantiate(Buffer.from(LOAD_MODULE, 'hex'));
  const load = instance.exports['load'] as (address: number) => number;
  try {
    return { loaded: load(0x7fffffff) };
  } catch (error) {
    return { within: load(0), error: (error as Error).message };
  }
}

const forever = (): Promise<never> => new Promise(() => setInterval(() => undefined, 1000));

/** Rank 0 waits for the others in a sum; the last rank does `act` in its place. */
const meanwhile =
  (act: (group: Communicator) => unknown): Scenario =>
  async (group) => {
    await group.barrier();
    if (group.rank === group.size - 1) {
      await act(group);
      return forever();
    }
    await group.sum(new Float32Array(1000));
    return {};
  };

/** Rank 0 waits in a sum that nobody joins, and then does `act`. */
const whileWaiting =
  (act: (group: Communicator) => unknown): Scenario =>
  async (group) => {
    await group.barrier();
    if (group.rank > 0) return forever();
    const sum = group.sum(new Float32Array(1000));
    setTimeout(() => void act(group), 200);
    await sum;
    return {};
  };

const fail = (): never => {
  throw new Error('the head fell off');
};

/** By the argument of the program. */
export const SCENARIOS: Record<string, Scenario> = {
  everything,
  pieces: everything,
  order,
  alongside,
  trap,
  open: async () => ({}),
  arguments: async (group) => ({
    errors: await Promise.all(
      [
        group.sum(new Float32Array(3), new Float32Array(4)),
        group.sum(new Float32Array(3), new Float64Array(3) as never),
        group.allToAll(new Uint8Array(2 * group.size + 1)),
      ].map((call) => call.then(() => 'nothing', (error: unknown) => (error as Error).message)), // prettier-ignore
    ),
  }),
  closed: async (group) => {
    await group.close();
    return { error: await group.barrier().then(() => 'nothing', (error: unknown) => (error as Error).message) }; // prettier-ignore
  },
  killed: meanwhile(() => process.kill(process.pid, 'SIGKILL')),
  thrown: meanwhile(() => setTimeout(fail, 0)),
  'exit-4': meanwhile(() => process.exit(4)),
  'exit-0': meanwhile(() => process.exit(0)),
  abort: meanwhile((group) => group.abort(5)),
  'waiting-exit-6': whileWaiting(() => process.exit(6)),
  'waiting-abort': whileWaiting((group) => group.abort(7)),
  'waiting-throw': whileWaiting(fail),
};
