/**
 * The TensorFlow.js backend: tensors by data id over the runtime of one device.
 * Values stay on the host until a kernel first needs them; reads are asynchronous.
 */
import { DataStorage, KernelBackend, backend_util, engine, util } from '@tensorflow/tfjs-core';
import type { BackendValues, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { NotOnGpuError, ThawGpuError } from '../runtime/errors.ts';
import { Gpu, type GpuOptions } from '../runtime/gpu.ts';
import type { MemoryReport } from '../runtime/buffer-pool.ts';
import { planConversion } from '../kernels/precision/precision.plan.ts';
import { elements, type DeviceType, type Plan } from '../runtime/plan.ts';
import type { DispatchTime } from '../runtime/profile.ts';
import type { Swap } from '../runtime/recording.ts';
import type { Replay } from '../runtime/replay.ts';
import type { BufferSlice } from '../runtime/slice.ts';
import type { Binding, Precision } from '../wgsl/shader.ts';
import { checkTypes } from './check-types.ts';
import { deviceType, fromDevice, toDevice } from './storage.ts';
import type { Parts, TensorRecord } from './tensor-record.ts';

/** What TensorFlow.js knows a tensor's values by. */
export type DataId = TensorInfo['dataId'];

interface DeviceMemory {
  readonly unreliable: boolean;
  /** Of buffers that tensors hold. */
  readonly numBytesInGPU: number;
  /** Those and free buffers that are kept. */
  readonly numBytesInGPUAllocated: number;
  readonly numBytesInGPUFree: number;
}

/** A TensorFlow.js backend on one WebGPU device; `register` makes one. What programs use of it is here; the rest is for kernels and for TensorFlow.js. */
export class ThawBackend extends KernelBackend {
  /** @internal */
  readonly gpu: Gpu;
  readonly #data: DataStorage<TensorRecord>;
  /** Tensors made by the step that is being captured and still alive. */
  #captured = new Set<TensorRecord>();

  constructor(device: GPUDevice, options: GpuOptions = {}) {
    super();
    this.gpu = new Gpu(device, options);
    this.#data = new DataStorage(this, engine());
  }

  // --- tensors, as tfjs's engine asks for them ---

  /** @internal */
  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.#data.set(dataId, { shape, dtype, precision: 'float32', refCount: 1, values, slice: undefined, changes: 0 });
    return dataId;
  }

  /** @internal */
  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    if (dtype === 'complex64') {
      const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array);
      const parts = { real: this.makeTensor(real, shape, 'float32'), imag: this.makeTensor(imag, shape, 'float32') };
      this.#data.set(dataId, { shape, dtype, precision: 'float32', refCount, values: undefined, slice: undefined, changes: 0, parts }); // prettier-ignore
      return;
    }
    this.#data.set(dataId, { shape, dtype, precision: 'float32', refCount, values, slice: undefined, changes: 0 });
  }

  /** @internal */
  override async read(dataId: DataId): Promise<BackendValues> {
    const record = this.#data.get(dataId);
    const known = this.#known(record);
    if (known) return known;
    if (record.parts) {
      const { real, imag } = record.parts;
      const [re, im] = await Promise.all([this.read(real.dataId), this.read(imag.dataId)]);
      return backend_util.mergeRealAndImagArrays(Float32Array.from(re as ArrayLike<number>), Float32Array.from(im as ArrayLike<number>)); // prettier-ignore
    }
    if (!record.slice) throw new Error('tensor has neither host values nor a buffer');
    if (this.gpu.isRecording)
      throw new ThawGpuError('a captured step cannot read a tensor; return it and read it after');
    const dtype = deviceType(record.dtype);
    const wide = record.precision === 'float16' ? this.#convert(record.slice, record.shape, 'float32') : undefined;
    const { changes } = record;
    const { replays } = this.gpu.queue;
    try {
      const values = fromDevice(await this.gpu.queue.download(wide ?? record.slice), elements(record.shape), dtype);
      if (changes === record.changes) record.seen = { values, replays };
      return values;
    } finally {
      if (wide) this.gpu.release(wide);
    }
  }

  /** @internal */
  override readSync(dataId: DataId): BackendValues {
    const known = this.#known(this.#data.get(dataId));
    if (known) return known;
    throw new NotOnGpuError();
  }

  /** Values that are on the host, because they were made there or were read before. */
  #known({ values, seen }: TensorRecord): BackendValues | undefined {
    return values ?? (seen && seen.replays === this.gpu.queue.replays ? seen.values : undefined);
  }

  /** @internal */
  override incRef(dataId: DataId): void {
    this.#data.get(dataId).refCount++;
  }

  /** @internal */
  override refCount(dataId: DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  /** @internal */
  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const record = this.#data.get(dataId);
    record.refCount--;
    if (!force && record.refCount > 0) return false;
    if (record.slice) this.gpu.release(record.slice);
    for (const { dataId: part } of record.parts ? [record.parts.real, record.parts.imag] : []) {
      // The engine counts a part that was a tensor before, and could not see it go.
      if (this.disposeData(part)) engine().removeDataId(part, this);
    }
    this.#data.delete(dataId);
    this.#captured.delete(record);
    return true;
  }

  /** @internal */
  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  /** @internal */
  override floatPrecision(): 32 {
    return 32;
  }

  /** @internal */
  override epsilon(): number {
    return 1e-7;
  }

  /** What tf.memory() adds to its own counts, under the names that tfjs's GPU backends have for it. */
  override memory(): DeviceMemory {
    const { usedBytes, pooledBytes } = this.gpu.memory();
    return {
      unreliable: false,
      numBytesInGPU: usedBytes,
      numBytesInGPUAllocated: usedBytes + pooledBytes,
      numBytesInGPUFree: pooledBytes,
    };
  }

  /** Wall time of `work`, which tfjs expects to run before this returns; time of each dispatch comes from profile(). */
  override async time(work: () => void): Promise<{
    /** Milliseconds. */
    wallMs: number;
    /** The same milliseconds. */
    kernelMs: number;
  }> {
    const start = util.now();
    work();
    await this.settle(0);
    const wallMs = util.now() - start;
    return { wallMs, kernelMs: wallMs };
  }

  /** Frees all of its device memory. Tensors that are on the device are gone: using one throws a DisposedError. */
  override dispose(): void {
    this.gpu.dispose();
  }

  /** Whether dispose() was called. */
  get isDisposed(): boolean {
    return this.gpu.isDisposed;
  }

  // --- what kernels use ---

  /**
   * Runs a plan on tensors.
   * @param inputs by binding name; `undefined` for an input that the plan's constants switch off.
   * @returns the plan's outputs as tensors, by binding name.
   * @throws when a tensor's numbers are not of the type that the shader reads, rather than take their bits for others
   */
  run(plan: Plan, inputs: Readonly<Record<string, TensorInfo | undefined>>): Record<string, TensorInfo> {
    checkTypes(plan, inputs);
    const given: Record<string, BufferSlice | undefined> = {};
    const converted: BufferSlice[] = [];
    for (const binding of plan.shader.bindings) {
      const tensor = inputs[binding.name];
      if (!tensor) continue;
      const copy = this.#inPrecision(tensor, binding, plan);
      if (copy) converted.push(copy);
      given[binding.name] = copy ?? this.slice(tensor);
    }
    const slices = this.gpu.run(plan, given);
    for (const copy of converted) this.gpu.release(copy);
    const outputs: Record<string, TensorInfo> = {};
    for (const name in slices) {
      const spec = plan.outputs[name];
      const slice = slices[name];
      if (spec && slice) outputs[name] = this.#adopt(slice, spec.shape, spec.dtype);
    }
    return outputs;
  }

  /** Like run(), for plans with one output. */
  runOne(plan: Plan, inputs: Readonly<Record<string, TensorInfo | undefined>>): TensorInfo {
    const [output] = Object.values(this.run(plan, inputs));
    if (!output) throw new Error(`${plan.shader.name} makes no output`);
    return output;
  }

  /** How the device holds a tensor's numbers; float32 also of tensors that are none. */
  precisionOf(tensor: TensorInfo): Precision {
    return this.#data.get(tensor.dataId).precision;
  }

  /** A copy of the tensor as the plan's binding wants it; undefined where it is so already. @throws where it is changed in place */
  #inPrecision(tensor: TensorInfo, { name, type, element }: Binding, plan: Plan): BufferSlice | undefined {
    const wanted = element === 'stored' ? (plan.precision ?? 'float32') : 'float32';
    const { precision, shape } = this.#data.get(tensor.dataId);
    if (precision === wanted) return undefined;
    if (type === 'read_write')
      throw new ThawGpuError(
        `${plan.shader.name}: '${name}' is stored in ${precision} and changed in place as ${wanted}`,
      );
    return this.#convert(this.slice(tensor), shape, wanted);
  }

  #convert(x: BufferSlice, shape: readonly number[], to: Precision): BufferSlice {
    const plan = planConversion(shape, to, this.gpu.limits, this.gpu.tiling('elementwise').direct);
    const { y } = this.gpu.run(plan, { x });
    if (!y) throw new ThawGpuError(`${plan.shader.name} makes no output`);
    return y;
  }

  /** The tensor's storage on the device; uploads host values on first use. */
  slice(tensor: TensorInfo): BufferSlice {
    const record = this.#data.get(tensor.dataId);
    if (record.slice) return record.slice;
    const dtype = deviceType(record.dtype);
    const slice = this.gpu.allocatePlaced(record.shape);
    const { values } = record;
    if (values) {
      if (values.length > 0) this.gpu.queue.upload(slice, toDevice(values as ArrayLike<number>, dtype));
    }
    record.slice = slice;
    // Scalars and short vectors stay readable without a round trip.
    if (elements(record.shape) > 16) record.values = undefined;
    return slice;
  }

  /** Host values, where the host has them (constants, shapes, small vectors, what was read). */
  hostValues(tensor: TensorInfo): BackendValues | undefined {
    return this.#known(this.#data.get(tensor.dataId));
  }

  /** A complex tensor of two float32 tensors of one shape; it takes a reference to each. */
  complex(real: TensorInfo, imag: TensorInfo): TensorInfo {
    const parts = { real: this.alias(real, real.shape), imag: this.alias(imag, real.shape) };
    const dataId = {};
    this.#data.set(dataId, { shape: real.shape, dtype: 'complex64', precision: 'float32', refCount: 1, values: undefined, slice: undefined, changes: 0, parts }); // prettier-ignore
    return { dataId, shape: [...real.shape], dtype: 'complex64' };
  }

  /** The parts of a complex tensor, in its shape; their references stay with it. */
  parts(tensor: TensorInfo): Parts {
    const { parts } = this.#data.get(tensor.dataId);
    if (!parts) throw new Error(`a tensor of type ${tensor.dtype} has no real and imaginary part`);
    const shape = [...tensor.shape];
    return { real: { ...parts.real, shape }, imag: { ...parts.imag, shape } };
  }

  /** The same data under another shape: no copy, one reference more. */
  alias(tensor: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  /** A tensor made of host values. */
  makeTensor(values: BackendValues, shape: readonly number[], dtype: DataType): TensorInfo {
    return { dataId: this.write(values, [...shape], dtype), shape: [...shape], dtype };
  }

  /** A tensor whose content is whatever was there before: for kernels that write all of it in several dispatches. */
  empty(shape: readonly number[], dtype: DeviceType): TensorInfo {
    return this.#adopt(this.gpu.allocate(shape, dtype), shape, dtype);
  }

  /** Disposes a temporary that a kernel made. */
  release(tensor: TensorInfo): void {
    this.disposeData(tensor.dataId);
  }

  /** An in-place kernel is about to change the tensor: host values, if any, are stale from now on. */
  invalidateHost(tensor: TensorInfo): void {
    this.slice(tensor);
    this.#forget(this.#data.get(tensor.dataId));
  }

  #forget(record: TensorRecord): void {
    record.values = undefined;
    record.seen = undefined;
    record.changes++;
  }

  /**
   * Puts other values into a tensor's storage, where captured steps find them.
   * @throws when another tensor shares the storage, or the number of values is not the tensor's
   */
  overwrite(tensor: TensorInfo, values: ArrayLike<number>): void {
    const record = this.#data.get(tensor.dataId);
    if (this.gpu.isRecording)
      throw new ThawGpuError('overwrite: not inside a captured step, which would do it once only');
    const wanted = elements(record.shape);
    if (values.length !== wanted)
      throw new ThawGpuError(
        `overwrite: ${values.length} values for a tensor [${record.shape.join(', ')}] of ${wanted}`,
      );
    if (record.precision === 'float16')
      throw new ThawGpuError('overwrite: the tensor is stored in float16, which is made on the device alone');
    if (record.refCount > 1) throw new ThawGpuError('overwrite: another tensor shares the storage; dispose its clones');
    const data = toDevice(values, deviceType(record.dtype));
    this.slice(tensor);
    this.#forget(record);
    if (record.slice && wanted > 0) this.gpu.queue.upload(record.slice, data);
  }

  /** As ops/exchange.ts has it. @throws outside a captured step */
  exchange(from: readonly TensorInfo[], into: readonly TensorInfo[], swap: Swap): () => void {
    const slices = (tensors: readonly TensorInfo[]): BufferSlice[] => tensors.map((tensor) => this.slice(tensor));
    const arrive = this.gpu.exchange({ from: slices(from), into: slices(into), swap });
    return () => {
      for (const { dataId } of into) this.#forget(this.#data.get(dataId));
      arrive();
    };
  }

  // --- what programs use ---

  /**
   * Records what `step` runs, without running it. See ops/capture.ts.
   * @throws when a tensor made in the step, and not returned, outlives it
   */
  async capture(step: () => readonly TensorInfo[]): Promise<Replay> {
    this.#captured.clear();
    const { recording, result: outputs } = this.gpu.record(step);
    const left = new Set(this.#captured);
    this.#captured.clear();
    for (const { dataId } of outputs) left.delete(this.#data.get(dataId));
    const [stray] = left;
    if (stray) {
      this.gpu.discard(recording);
      throw new ThawGpuError(
        `capture: a tensor [${stray.shape.join(', ')}] made in the step outlives it; return it, dispose it, or assign it in place`,
      );
    }
    return this.gpu.compile(
      recording,
      outputs.map((output) => this.slice(output)),
    );
  }

  /** Call at the end of a step: waits until at most `maxInFlight` steps are unfinished; throws the first GPU failure. */
  settle(maxInFlight = 2): Promise<void> {
    return this.gpu.queue.settle(maxInFlight);
  }

  /** Dispatches recorded so far. */
  get dispatchCount(): number {
    return this.gpu.queue.dispatches;
  }

  /** Bytes of device memory in use, kept for reuse, and most at once. */
  memoryReport(): MemoryReport {
    return this.gpu.memory();
  }

  /** Time of each dispatch that `work` runs, in order. Needs the timestamp-query feature. */
  profile(work: () => Promise<void>): Promise<DispatchTime[]> {
    return this.gpu.queue.profile(work);
  }

  #adopt(slice: BufferSlice, shape: readonly number[], type: DeviceType): TensorInfo {
    const dataId = {};
    const isHalf = type === 'float16';
    const dtype = isHalf ? 'float32' : type;
    const precision = isHalf ? 'float16' : 'float32';
    const record: TensorRecord = { shape, dtype, precision, refCount: 1, values: undefined, slice, changes: 0 };
    this.#data.set(dataId, record);
    if (this.gpu.isRecording) this.#captured.add(record);
    return { dataId, shape: [...shape], dtype };
  }
}
