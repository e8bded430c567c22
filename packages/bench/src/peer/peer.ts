// A peer's engine in a process of its own, so that it shares neither globals nor a TensorFlow.js engine with Thaw. The two
// processes take turns: a request is sent when the one before is answered.
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../engines/engine.ts';
import type { Outputs } from '../measure/agreement.ts';
import type { WorkloadSpec } from '../workloads/open.ts';
import type { Sample, Workload } from '../workloads/workload.ts';
import type { Numbered, Reply, Request } from './messages.ts';

/** The other process failed or died. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #closed = false;

  private constructor(readonly engine: EngineName) {
    const worker = fileURLToPath(new URL('./peer.worker.js', import.meta.url));
    if (!existsSync(worker)) throw new PeerError(`${worker} is missing: build @thaw/bench first (npm run build).`);
    this.#child = fork(worker, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new PeerError(`${engine}: ${reply.error}`));
      else waiting?.resolve(reply.value);
    });
    const fail = (why: string): void => {
      for (const { reject } of this.#waiting.values()) reject(new PeerError(`${engine}: ${why}`));
      this.#waiting.clear();
      this.#closed = true;
    };
    this.#child.on('error', (error) => fail(error.message));
    this.#child.on('exit', (code, signal) => fail(`its process ended (${signal ?? `exit code ${code}`}).`));
  }

  /** @throws PeerError when the process or its engine does not start */
  static async start(engine: EngineName, adapter?: string): Promise<Peer> {
    const peer = new Peer(engine);
    await peer.#ask({ do: 'open-engine', engine, adapter }).catch((error: unknown) => {
      peer.stop();
      throw error;
    });
    return peer;
  }

  /** One workload at a time. */
  async open(spec: WorkloadSpec): Promise<Workload> {
    await this.#ask({ do: 'open', spec });
    return {
      verify: async () => (await this.#ask({ do: 'verify' })) as Outputs,
      time: async (repetitions) => (await this.#ask({ do: 'time', repetitions })) as Sample,
      close: async () => {
        await this.#ask({ do: 'close' });
      },
    };
  }

  stop(): void {
    this.#closed = true;
    this.#child.kill();
  }

  #ask(request: Request): Promise<unknown> {
    if (this.#closed) return Promise.reject(new PeerError(`${this.engine}: its process has ended.`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, request } satisfies Numbered);
    });
  }
}
