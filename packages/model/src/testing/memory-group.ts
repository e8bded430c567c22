// A group whose ranks are functions of one process: what they give to a call waits until all ranks have made it.
import type { Group } from '../parallel/group.ts';

type Given = Float32Array | Float64Array | Uint8Array;

/** One member for each rank. The n-th call of a rank meets the n-th of every other one; it must be the same call. */
export function memoryGroup(size: number): Group[] {
  const meetings: {
    name: string;
    given: (Given | undefined)[];
    open: (all: Given[]) => void;
    all: Promise<Given[]>;
  }[] = [];
  const meeting = (at: number, name: string) => {
    const found = meetings[at];
    if (found) {
      if (found.name !== name) throw new Error(`ranks call ${found.name} and ${name} at once`);
      return found;
    }
    let open: (all: Given[]) => void = () => undefined;
    const all = new Promise<Given[]>((done) => (open = done));
    return (meetings[at] = { name, given: new Array<Given | undefined>(size), open, all });
  };
  return Array.from({ length: size }, (_, rank) => {
    let calls = 0;
    const meet = <Kind extends Given>(name: string, own: Kind): Promise<Kind[]> => {
      const { given, open, all } = meeting(calls++, name);
      given[rank] = own.slice();
      const there = given.filter((values) => values !== undefined);
      if (there.length === size) open(there);
      return all as Promise<Kind[]>;
    };
    return {
      rank,
      size,
      seconds: 0,
      async sum(values, into = values) {
        const all = await meet('sum', values);
        into.set(Array.from(values, (_v, i) => all.reduce((total, one) => total + (one[i] ?? 0), 0)));
      },
      gather: (bytes) => meet('gather', bytes),
      async allToAll(bytes) {
        const part = bytes.length / size;
        const all = await meet('allToAll', bytes);
        return Uint8Array.from(all.flatMap((one) => [...one.subarray(rank * part, (rank + 1) * part)]));
      },
    };
  });
}

/** Runs it on every rank. */
export const onRanks = <T>(size: number, work: (group: Group) => Promise<T>): Promise<T[]> =>
  Promise.all(memoryGroup(size).map(work));
