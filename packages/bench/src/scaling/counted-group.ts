// A group that writes down what passes through it.
import type { Group } from '@thaw/model';

/** A collective call as one rank makes it. */
export interface GroupCall {
  /** Which one. */
  readonly kind: 'sum' | 'allToAll' | 'gather';
  /** Bytes that this rank hands over. */
  readonly bytes: number;
  /** Bytes that come back to it. */
  readonly back: number;
}

/** Passes everything on. */
export class CountedGroup implements Group {
  /** Since the last `clear`, in their order. */
  calls: GroupCall[] = [];

  constructor(private readonly group: Group) {}

  get rank(): number {
    return this.group.rank;
  }

  get size(): number {
    return this.group.size;
  }

  get seconds(): number {
    return this.group.seconds;
  }

  clear(): void {
    this.calls = [];
  }

  sum<Values extends Float32Array | Float64Array>(values: Values, into?: Values): Promise<void> {
    this.calls.push({ kind: 'sum', bytes: values.byteLength, back: values.byteLength });
    return this.group.sum(values, into);
  }

  allToAll(bytes: Uint8Array): Promise<Uint8Array> {
    this.calls.push({ kind: 'allToAll', bytes: bytes.length, back: bytes.length });
    return this.group.allToAll(bytes);
  }

  async gather(bytes: Uint8Array): Promise<Uint8Array[]> {
    this.calls.push({ kind: 'gather', bytes: bytes.length, back: this.size * bytes.length });
    return this.group.gather(bytes);
  }
}

/**
 * Bytes that a rank sends to others at least: of a sum twice all but its own part, of an exchange all but its own part, of a
 * gathered list its own to each of the others.
 */
export function sentBytes({ kind, bytes }: GroupCall, ranks: number): number {
  const others = (ranks - 1) / ranks;
  switch (kind) {
    case 'sum':
      return 2 * others * bytes;
    case 'allToAll':
      return others * bytes;
    case 'gather':
      return (ranks - 1) * bytes;
    default:
      return kind satisfies never;
  }
}

/** Makes the same calls again, on numbers of no meaning, all at once as a step does. @returns what makes them */
export function replayCalls(group: Group, calls: readonly GroupCall[]): () => Promise<void> {
  const prepared = calls.map(({ kind, bytes }) => {
    const given = new Uint8Array(bytes);
    const result = new Float32Array(kind === 'sum' ? bytes / 4 : 0);
    switch (kind) {
      case 'sum':
        return () => group.sum(new Float32Array(given.buffer), result);
      case 'allToAll':
        return () => group.allToAll(given);
      case 'gather':
        return () => group.gather(given);
      default:
        throw new Error(`unknown call ${String(kind satisfies never)}`);
    }
  });
  return async () => {
    await Promise.all(prepared.map((call) => call()));
  };
}
