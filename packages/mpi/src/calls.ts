// Collective calls in one row, each on a thread of koffi while this one goes on.
import { MpiError } from './errors.ts';
import { type Library, messageOf, TEXT_BYTES } from './library.ts';

/** A function of C that another thread can run, as koffi makes them. */
interface Threaded<Args extends unknown[]> {
  async: (...args: [...Args, (error: unknown, code: number) => void]) => void;
}

/** What calls need of their library to say what went wrong. */
interface Explaining extends Pick<Library, 'version'> {
  readonly mpi: { readonly errorString: (code: number, text: Uint8Array, length: Int32Array) => number };
}

/** Works calls off one after the other, adds up their time, and stays failed once one has failed. */
export class Calls {
  readonly #library: Explaining;
  #last: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #seconds = 0;
  #since: number | undefined;

  constructor(library: Explaining) {
    this.#library = library;
  }

  /** Seconds in calls, the one in progress included. */
  get seconds(): number {
    return this.#seconds + (this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000);
  }

  /** Runs `work` when what came before is through. Whatever it throws, and whatever comes later, rejects with it. */
  next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      const since = performance.now();
      this.#since = since;
      try {
        return await work();
      } finally {
        this.#since = undefined;
        this.#seconds += (performance.now() - since) / 1000;
      }
    });
    this.#last = result.then(
      () => undefined,
      (error: unknown) => this.fail(error instanceof Error ? error : new MpiError(String(error))),
    );
    return result;
  }

  /** Lets every later call reject with this error. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** Calls a function on another thread; its arguments are kept until it returns. @throws MpiError with what MPI says */
  call<Args extends unknown[]>(name: string, fn: Threaded<Args>, ...args: NoInfer<Args>): Promise<void> {
    const held = new Set<unknown>(args);
    return new Promise((resolve, reject) => {
      fn.async(...args, (error: unknown, code: number) => {
        held.clear();
        if (error !== null && error !== undefined) reject(new MpiError(`${name}: ${messageOf(error)}`));
        else if (code !== 0) reject(this.error(name, code));
        else resolve();
      });
    });
  }

  /** Throws where a code is none of success. */
  check(name: string, code: number): void {
    if (code !== 0) throw this.error(name, code);
  }

  /** What an error code means. */
  error(name: string, code: number): MpiError {
    const text = new Uint8Array(TEXT_BYTES);
    const length = new Int32Array(1);
    const known = this.#library.mpi.errorString(code, text, length) === 0;
    const said = known ? new TextDecoder().decode(text.subarray(0, length[0])).trim() : 'unknown error';
    return new MpiError(`${name} failed (${this.#library.version}, code ${code}): ${said}`);
  }
}
