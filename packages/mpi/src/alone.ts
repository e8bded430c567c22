// A job of one process: nobody to talk to, and no library needed.
import { exit } from 'node:process';
import type { Communicator } from './communicator.ts';
import { requireParts, requireSame } from './arguments.ts';

/** Does what one rank of an MPI job of size 1 would. */
export class Alone implements Communicator {
  readonly rank = 0;
  readonly size = 1;
  readonly localRank = 0;
  readonly library = undefined;
  readonly seconds = 0;

  async sum<Values extends Float32Array | Float64Array>(values: Values, into: Values = values): Promise<void> {
    if (requireSame(values, into) === 'elsewhere') into.set(values);
  }

  async gather(bytes: Uint8Array): Promise<Uint8Array[]> {
    return [Uint8Array.from(bytes)];
  }

  async allToAll(bytes: Uint8Array): Promise<Uint8Array> {
    requireParts(bytes, 1);
    return Uint8Array.from(bytes);
  }

  async barrier(): Promise<void> {
    // Every rank is here.
  }

  abort(code: number): never {
    exit(code);
  }

  async close(): Promise<void> {
    // Nothing was opened.
  }
}
