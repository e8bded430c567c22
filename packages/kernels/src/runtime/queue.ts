/**
 * Recorded work, submitted in batches and in order.
 * A kernel call only records a command. flush() encodes what can run; a dispatch whose pipeline is still compiling
 * holds back everything after it, so the first step of a network compiles all its pipelines in parallel.
 * Every batch runs inside an error scope: after a failure, every awaited read rejects with the guilty kernel's name.
 */
import { packParams } from '../wgsl/shader.ts';
import { BindGroups } from './bind-groups.ts';
import { bufferUsage, MAP_MODE_READ } from './constants.ts';
import { encodeStep, encodeTimed, type EncodedDispatch } from './encoded.ts';
import { DeviceLostError, DisposedError, ThawGpuError } from './errors.ts';
import { Napping } from './napping.ts';
import type { Pipeline } from './pipelines.ts';
import type { Plan } from './plan.ts';
import { readTimestamps, TimestampBatch, type BatchTimestamps, type DispatchTime, type LayerPass, type Profiled } from './profile.ts'; // prettier-ignore
import type { BufferSlice } from './slice.ts';
import { Staging } from './staging.ts';

interface Dispatch extends Profiled {
  readonly kind: 'dispatch';
  readonly pipeline: Pipeline;
  readonly params: ArrayBuffer;
}
interface Upload {
  readonly kind: 'upload';
  readonly target: BufferSlice;
  readonly data: ArrayBufferView<ArrayBuffer>;
}
interface Copy {
  readonly kind: 'copy';
  readonly from: BufferSlice;
  readonly to: GPUBuffer;
  readonly toOffset: number;
}
interface ReplayedStep {
  readonly kind: 'replay';
  readonly list: readonly EncodedDispatch[];
}
type Command = Dispatch | Upload | Copy | ReplayedStep;

/** Dispatches in one submit at most; also the slots of the uniform arena. */
const BATCH = 256;
/** Offset alignment that every WebGPU device accepts (minUniformBufferOffsetAlignment is at most 256). */
const SLOT_BYTES = 256;

export class CommandQueue {
  #pending: Command[] = [];
  /** Buffers that pending commands touch: a write to one of these must wait its turn. */
  #touched = new Set<GPUBuffer>();
  #recorded = 0;
  #submitted = 0;
  #failure: Error | undefined;
  #scopes: Promise<void>[] = [];
  #steps: Promise<void>[] = [];
  #waitingFor: Pipeline | undefined;
  readonly #uniforms: GPUBuffer;
  #uniformBytes = new Uint8Array(BATCH * SLOT_BYTES);
  readonly #bindGroups: BindGroups;
  readonly #staging: Staging;
  #timestamps: BatchTimestamps[] | undefined;
  readonly #naps: Napping | undefined;
  /** What a lost device rejects. */
  readonly #waiting = new Set<(failure: Error) => void>();
  /** Dispatches recorded since the queue was made. */
  dispatches = 0;
  /** Recorded steps replayed since then. */
  replays = 0;

  constructor(
    private readonly device: GPUDevice,
    isSoftware = false,
  ) {
    this.#staging = new Staging(device);
    this.#naps = isSoftware ? new Napping() : undefined;
    this.#uniforms = device.createBuffer({
      label: 'params',
      size: BATCH * SLOT_BYTES,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    this.#bindGroups = new BindGroups(device, this.#uniforms);
    void device.lost.then(({ reason, message }) => {
      const failure = new DeviceLostError(reason, message);
      this.#failure = failure;
      for (const reject of this.#waiting) reject(failure);
    });
  }

  /** Records one dispatch; `slices` in the order of the shader's bindings, the uniform left out. */
  dispatch(pipeline: Pipeline, plan: Plan, slices: readonly BufferSlice[], from?: LayerPass): void {
    this.dispatches++;
    for (const { buffer } of slices) this.#touched.add(buffer);
    this.#record({ kind: 'dispatch', pipeline, plan, slices, from, params: packParams(plan.shader, plan.params) });
  }

  /** Records the dispatches of a recorded step and submits them. */
  replay(list: readonly EncodedDispatch[]): void {
    this.dispatches += list.length;
    this.replays++;
    this.#record({ kind: 'replay', list });
    this.flush();
  }

  /** Copies a slice into another buffer. */
  copy(from: BufferSlice, to: GPUBuffer, toOffset: number): void {
    this.#touched.add(from.buffer).add(to);
    this.#record({ kind: 'copy', from, to, toOffset });
  }

  /** Writes host data; `data` may be reused by the caller at once. */
  upload(target: BufferSlice, data: ArrayBufferView<ArrayBuffer>): void {
    this.#refuseWhenDisposed();
    if (this.#mustWait(target.buffer)) this.flush();
    if (!this.#mustWait(target.buffer)) {
      this.device.queue.writeBuffer(target.buffer, target.offset, data.buffer, data.byteOffset, data.byteLength);
      return;
    }
    const copy = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    this.#record({ kind: 'upload', target, data: copy });
  }

  /** Reads a slice back. @throws the first failure of any command recorded before. */
  async download(from: BufferSlice): Promise<ArrayBuffer> {
    const staging = this.#staging.acquire(from.size);
    this.copy(from, staging, 0);
    await this.#drain(this.#recorded);
    await this.until(staging.mapAsync(MAP_MODE_READ, 0, from.size)).catch((error: unknown) => {
      throw this.#failure ?? error;
    });
    await this.#check();
    const bytes = staging.getMappedRange(0, from.size).slice(0);
    staging.unmap();
    this.#staging.release(staging);
    return bytes;
  }

  /**
   * Submits what is recorded and gives the bytes of a buffer that the host may map, as they are then, to `use`.
   * @throws the first failure of any command recorded before, and what `use` throws
   */
  async mapped(staging: GPUBuffer, bytes: number, use: (given: ArrayBuffer) => Promise<void>): Promise<void> {
    await this.#drain(this.#recorded);
    await this.until(staging.mapAsync(MAP_MODE_READ, 0, bytes)).catch((error: unknown) => {
      throw this.#failure ?? error;
    });
    try {
      await this.#check();
      await use(staging.getMappedRange(0, bytes));
    } finally {
      staging.unmap();
    }
  }

  /**
   * Call at the end of a step: submits it, and waits until at most `maxInFlight` steps are unfinished.
   * @throws the first failure of any command recorded before.
   */
  async settle(maxInFlight: number): Promise<void> {
    await this.#drain(this.#recorded);
    this.#steps.push(this.device.queue.onSubmittedWorkDone().then(() => undefined));
    for (const step of this.#steps.splice(0, this.#steps.length - maxInFlight)) await this.until(step);
    await this.#check();
  }

  /** Submits everything whose pipelines are compiled, without waiting. */
  flush(): void {
    while (this.#pending.length > 0 && !this.#failure) {
      const ready = this.#readyPrefix();
      if (ready === 0) return this.#resumeWhenCompiled();
      const batch = this.#pending.splice(0, ready);
      this.#submit(batch);
      this.#submitted += batch.length;
    }
    if (this.#failure) this.#pending = [];
    this.#touched.clear();
  }

  /** Submits recorded work and forgets bind groups, so that buffers may be destroyed; false while that is too early. */
  letGo(): boolean {
    this.flush();
    this.#bindGroups.clear();
    return this.#pending.length === 0;
  }

  /** Submits what can run and drops the rest; whatever is asked of it later, but of a read that has begun, is refused. */
  dispose(): void {
    if (this.#failure instanceof DisposedError) return;
    this.letGo();
    this.#failure = new DisposedError();
    this.#pending = [];
    this.#uniforms.destroy();
    this.#staging.dispose();
  }

  /** Times every dispatch that `work` records. Needs the timestamp-query feature. */
  async profile(work: () => Promise<void>): Promise<DispatchTime[]> {
    if (!this.device.features.has('timestamp-query'))
      throw new ThawGpuError('this device has no timestamp-query feature, so kernels cannot be timed one by one');
    await this.settle(0);
    this.#timestamps = [];
    try {
      await work();
      await this.settle(0);
      return await readTimestamps(this.#timestamps);
    } finally {
      this.#timestamps = undefined;
    }
  }

  /** Waits for work of the device. @throws DeviceLostError when the device is lost before it is done */
  until<T>(work: Promise<T>): Promise<T> {
    // Not Promise.race with one promise of the loss: each race would stay with that promise for good.
    const waited = new Promise<T>((resolve, reject) => {
      if (this.#failure instanceof DeviceLostError) reject(this.#failure);
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
    return this.#naps?.during(waited) ?? waited;
  }

  /** Whether pending commands may use the buffer. */
  #mustWait(buffer: GPUBuffer): boolean {
    return this.#touched.has(buffer) || this.#pending.some(({ kind }) => kind === 'replay');
  }

  #refuseWhenDisposed(): void {
    if (this.#failure instanceof DisposedError) throw this.#failure;
  }

  #record(command: Command): void {
    this.#refuseWhenDisposed();
    this.#recorded++;
    this.#pending.push(command);
    if (this.#pending.length >= BATCH) this.flush();
  }

  async #drain(upTo: number): Promise<void> {
    this.flush();
    while (this.#submitted < upTo && !this.#failure) {
      const [next] = this.#pending;
      if (next?.kind !== 'dispatch') break;
      await this.until(next.pipeline.ready).catch((error: unknown) => this.#fail(error));
      this.flush();
    }
    this.#throwFailure();
  }

  async #check(): Promise<void> {
    const scopes = this.#scopes;
    this.#scopes = [];
    await Promise.all(scopes);
    this.#throwFailure();
  }

  /** Reports a failure once; only a lost device and a disposed backend fail for good. */
  #throwFailure(): void {
    const failure = this.#failure;
    if (!failure) return;
    if (!(failure instanceof DeviceLostError || failure instanceof DisposedError)) this.#failure = undefined;
    throw failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new ThawGpuError(String(error));
  }

  /** Watches an error scope's result; `explain` makes an error of its message, and is asked after a failure only. */
  watch(scope: Promise<GPUError | null>, explain: (message: string) => Error | Promise<Error>): void {
    const report = async (error: GPUError | null): Promise<void> => {
      if (error) this.#fail(await explain(error.message));
    };
    this.#scopes.push(scope.then(report).catch((error: unknown) => this.#fail(error)));
    if (this.#scopes.length >= BATCH) {
      const settled = Promise.all(this.#scopes).then(() => undefined);
      this.#scopes = [settled];
    }
  }

  #readyPrefix(): number {
    const most = Math.min(this.#pending.length, BATCH);
    for (let i = 0; i < most; i++) {
      const command = this.#pending[i];
      if (command?.kind === 'dispatch' && !command.pipeline.compiled) return i;
      // An upload goes through the queue and a recorded step has its own encoder: each ends the batch before it.
      if (command?.kind === 'upload' || command?.kind === 'replay') return Math.max(i, 1);
    }
    return most;
  }

  #resumeWhenCompiled(): void {
    const [next] = this.#pending;
    if (next?.kind !== 'dispatch' || this.#waitingFor === next.pipeline) return;
    this.#waitingFor = next.pipeline;
    next.pipeline.ready.then(
      () => {
        this.#waitingFor = undefined;
        this.flush();
      },
      (error: unknown) => {
        this.#waitingFor = undefined;
        this.#fail(error);
        this.flush();
      },
    );
  }

  #submit(batch: readonly Command[]): void {
    const [first] = batch;
    if (first?.kind === 'upload') {
      const { target, data } = first;
      this.device.queue.writeBuffer(target.buffer, target.offset, data.buffer, data.byteOffset, data.byteLength);
      return;
    }
    if (first?.kind === 'replay') {
      this.#submitReplay(first.list);
      return;
    }
    const { device } = this;
    device.pushErrorScope('validation');
    const encoder = device.createCommandEncoder();
    const timed =
      this.#timestamps && batch.some((c) => c.kind === 'dispatch') ? new TimestampBatch(device, BATCH) : undefined;
    let pass: GPUComputePassEncoder | undefined;
    let slot = 0;
    for (const command of batch) {
      if (command.kind === 'upload' || command.kind === 'replay')
        throw new ThawGpuError(`${command.kind}: cannot be encoded among other commands`);
      if (command.kind === 'copy') {
        pass?.end();
        pass = undefined;
        encoder.copyBufferToBuffer(
          command.from.buffer,
          command.from.offset,
          command.to,
          command.toOffset,
          command.from.size,
        );
        continue;
      }
      if (timed) {
        pass?.end();
        pass = undefined;
      }
      pass ??= encoder.beginComputePass(timed?.next(command));
      this.#encode(pass, command, slot++);
    }
    pass?.end();
    if (timed) this.#timestamps?.push(timed.resolve(encoder));
    if (slot > 0) device.queue.writeBuffer(this.#uniforms, 0, this.#uniformBytes, 0, slot * SLOT_BYTES);
    device.queue.submit([encoder.finish()]);
    timed?.querySet.destroy();
    this.watch(device.popErrorScope(), async (message) => new ThawGpuError(`${await this.#guilty(batch)}: ${message}`));
  }

  #submitReplay(list: readonly EncodedDispatch[]): void {
    const { device } = this;
    // Timing needs a pass for each dispatch, and a query set has room for a batch of them.
    const batch = this.#timestamps ? BATCH : list.length;
    for (let start = 0; start < list.length; start += batch) {
      device.pushErrorScope('validation');
      const encoder = device.createCommandEncoder();
      const timed = this.#timestamps && new TimestampBatch(device, BATCH);
      if (timed) {
        encodeTimed(encoder, list.slice(start, start + batch), timed);
        this.#timestamps?.push(timed.resolve(encoder));
      } else encodeStep(encoder, list);
      device.queue.submit([encoder.finish()]);
      timed?.querySet.destroy();
      const names = (): string => [...new Set(list.map(({ of }) => of.plan.shader.name))].join(', ');
      this.watch(device.popErrorScope(), (message) => new ThawGpuError(`${names()}: ${message}`));
    }
  }

  /** The kernels of a failed batch that fail when encoded alone; all of them where none does. */
  async #guilty(batch: readonly Command[]): Promise<string> {
    const names = new Set(batch.map((c) => (c.kind === 'dispatch' ? c.pipeline.shader.name : 'read')));
    const failing = new Set<string>();
    for (const command of batch) {
      if (command.kind !== 'dispatch') continue;
      this.device.pushErrorScope('validation');
      const encoder = this.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      this.#encode(pass, command, 0);
      pass.end();
      encoder.finish();
      if (await this.device.popErrorScope()) failing.add(command.pipeline.shader.name);
    }
    return [...(failing.size > 0 ? failing : names)].join(', ');
  }

  #encode(pass: GPUComputePassEncoder, { pipeline, plan, slices, params }: Dispatch, slot: number): void {
    if (!pipeline.compiled) throw new ThawGpuError(`${pipeline.shader.name} was encoded before it was compiled`);
    this.#uniformBytes.set(new Uint8Array(params), slot * SLOT_BYTES);
    pass.setPipeline(pipeline.compiled);
    const offsets = pipeline.shader.params.length > 0 ? [slot * SLOT_BYTES] : [];
    pass.setBindGroup(0, this.#bindGroups.get(pipeline, slices), offsets);
    pass.dispatchWorkgroups(...plan.workgroups);
  }
}
