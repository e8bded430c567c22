// MPI_COMM_WORLD of a loaded library.
import type { Handle } from './abi.ts';
import { requireParts, requireSame } from './arguments.ts';
import { Calls } from './calls.ts';
import type { Communicator } from './communicator.ts';
import { endJobOnExit } from './ending.ts';
import { MpiError } from './errors.ts';
import type { Library, Memory } from './library.ts';
import { PIECE_BYTES, pieces } from './pieces.ts';

/** What is alike on every element of a gathered list. */
const ALIGNMENT = 8;

/** Of a process whose MPI is initialised. */
export interface Membership {
  readonly library: Library;
  readonly rank: number;
  readonly size: number;
  readonly localRank: number | undefined;
  /** Bytes that one call may move, at most; tests take few. */
  readonly pieceBytes?: number;
}

/** Every process of the job. */
export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number | undefined;
  readonly #library: Library;
  readonly #calls: Calls;
  readonly #pieceBytes: number;
  readonly #leave: () => void;
  #closing: Promise<void> | undefined;

  constructor({ library, rank, size, localRank, pieceBytes = PIECE_BYTES }: Membership) {
    this.rank = rank;
    this.size = size;
    this.localRank = localRank;
    this.#library = library;
    this.#calls = new Calls(library);
    this.#pieceBytes = pieceBytes;
    this.#leave = endJobOnExit(rank, (code) => this.#end(code));
  }

  get library(): string {
    return this.#library.version;
  }

  get seconds(): number {
    return this.#calls.seconds;
  }

  async sum<Values extends Float32Array | Float64Array>(values: Values, into: Values = values): Promise<void> {
    const inPlace = requireSame(values, into) === 'in place';
    const { abi, mpi } = this.#library;
    const type: Handle = into instanceof Float32Array ? abi.float32 : abi.float64;
    const most = Math.floor(this.#pieceBytes / into.BYTES_PER_ELEMENT);
    await this.#calls.next(async () => {
      for (const [from, to] of pieces(into.length, most)) {
        const send: Memory = inPlace ? abi.inPlace : values.subarray(from, to);
        const receive = into.subarray(from, to);
        await this.#calls.call('MPI_Allreduce', mpi.allreduce, send, receive, to - from, type, abi.add, abi.world);
      }
    });
  }

  gather(bytes: Uint8Array): Promise<Uint8Array[]> {
    return this.#calls.next(async () => {
      const lengths = await this.#gatherLengths(bytes.length);
      const longest = Math.max(...lengths);
      const most = Math.max(1, Math.floor(this.#pieceBytes / this.size / ALIGNMENT)) * ALIGNMENT;
      if (longest <= most) return this.#gatherPiece(bytes, lengths);
      const whole = lengths.map((length) => new Uint8Array(length));
      for (const [from, to] of pieces(longest, most)) {
        const counts = lengths.map((length) => Math.max(0, Math.min(length, to) - from));
        const parts = await this.#gatherPiece(bytes.subarray(from, to), counts);
        for (const [i, part] of parts.entries()) if (part.length > 0) whole[i]?.set(part, from);
      }
      return whole;
    });
  }

  async allToAll(bytes: Uint8Array): Promise<Uint8Array> {
    const part = requireParts(bytes, this.size);
    const most = Math.max(1, Math.floor(this.#pieceBytes / this.size));
    const received = new Uint8Array(bytes.length);
    await this.#calls.next(async () => {
      if (part > 0 && part <= most) return this.#exchange(bytes, received);
      for (const [from, to] of pieces(part, most)) {
        const length = to - from;
        const out = new Uint8Array(length * this.size);
        const back = new Uint8Array(length * this.size);
        for (let i = 0; i < this.size; i++) out.set(bytes.subarray(i * part + from, i * part + to), i * length);
        await this.#exchange(out, back);
        for (let i = 0; i < this.size; i++) received.set(back.subarray(i * length, (i + 1) * length), i * part + from);
      }
    });
    return received;
  }

  barrier(): Promise<void> {
    const { abi, mpi } = this.#library;
    return this.#calls.next(() => this.#calls.call('MPI_Barrier', mpi.barrier, abi.world));
  }

  abort(code: number): never {
    this.#leave();
    this.#end(code);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Not to block this thread, as MPI_Finalize does, which must run on the thread that initialised MPI.
    await this.barrier();
    this.#calls.fail(new MpiError('MPI is closed in this process; no call can follow.'));
    this.#leave();
    this.#calls.check('MPI_Finalize', this.#library.mpi.finalize());
  }

  #end(code: number): never {
    // While another thread may be in a call, which only MPI_THREAD_MULTIPLE would allow; both libraries end the job nevertheless.
    this.#library.mpi.abort(this.#library.abi.world, code);
    // It does not return. If it did, a killed rank ends the job as well.
    process.kill(process.pid, 'SIGKILL');
    throw new MpiError('MPI_Abort returned');
  }

  async #gatherLengths(length: number): Promise<number[]> {
    const { abi, mpi } = this.#library;
    const own = Float64Array.of(length);
    const all = new Float64Array(this.size);
    const bytes = Float64Array.BYTES_PER_ELEMENT;
    await this.#calls.call('MPI_Allgather', mpi.allgather, own, bytes, abi.byte, all, bytes, abi.byte, abi.world);
    return [...all];
  }

  /** In one call. @param counts bytes of each rank */
  async #gatherPiece(bytes: Uint8Array, counts: readonly number[]): Promise<Uint8Array[]> {
    const { abi, mpi } = this.#library;
    const offsets = new Int32Array(counts.length);
    let end = 0;
    for (const [i, count] of counts.entries()) {
      offsets[i] = end;
      end += Math.ceil(count / ALIGNMENT) * ALIGNMENT;
    }
    const all = new Uint8Array(end);
    const lengths = Int32Array.from(counts);
    await this.#calls.call('MPI_Allgatherv', mpi.allgatherv, bytes, bytes.length, abi.byte, all, lengths, offsets, abi.byte, abi.world); // prettier-ignore
    return counts.map((count, i) => all.subarray(offsets[i] ?? 0, (offsets[i] ?? 0) + count));
  }

  /** In one call. */
  #exchange(out: Uint8Array, back: Uint8Array): Promise<void> {
    const { abi, mpi } = this.#library;
    const count = out.length / this.size;
    return this.#calls.call('MPI_Alltoall', mpi.alltoall, out, count, abi.byte, back, count, abi.byte, abi.world);
  }
}
