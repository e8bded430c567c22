/** Bind groups of dispatches: tensors by the order of the shader's bindings, parameters in a uniform buffer with dynamic offset. */
import { paramsSize } from '../wgsl/shader.ts';
import { ThawGpuError } from './errors.ts';
import type { Pipeline } from './pipelines.ts';
import type { BufferSlice } from './slice.ts';

/** Bind groups kept before the cache is emptied. */
const MOST = 8192;

/** @param uniforms holds the parameters of many dispatches; each gives its offset when it is encoded */
export function createBindGroup(
  device: GPUDevice,
  { layout, shader }: Pipeline,
  slices: readonly BufferSlice[],
  uniforms: GPUBuffer,
): GPUBindGroup {
  let given = 0;
  const entries = shader.bindings.map(({ index: binding, type }) => {
    if (type === 'uniform') return { binding, resource: { buffer: uniforms, size: paramsSize(shader) } };
    const slice = slices[given++];
    if (!slice) throw new ThawGpuError(`${shader.name}: ${slices.length} buffers for more bindings`);
    return { binding, resource: { buffer: slice.buffer, offset: slice.offset, size: slice.size } };
  });
  return device.createBindGroup({ label: shader.name, layout, entries });
}

/** Those made before, by layout and buffers: programs without capture run the same tensors again and again. */
export class BindGroups {
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #ids = new WeakMap<GPUBuffer | GPUBindGroupLayout, number>();
  #nextId = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly uniforms: GPUBuffer,
  ) {}

  get(pipeline: Pipeline, slices: readonly BufferSlice[]): GPUBindGroup {
    let key = `${this.#id(pipeline.layout)}`;
    for (const { buffer, offset, size } of slices) key += `,${this.#id(buffer)}:${offset}+${size}`;
    const found = this.#groups.get(key);
    if (found) return found;
    const group = createBindGroup(this.device, pipeline, slices, this.uniforms);
    if (this.#groups.size >= MOST) this.#groups.clear();
    this.#groups.set(key, group);
    return group;
  }

  /** Forgets all, so that their buffers may be destroyed. */
  clear(): void {
    this.#groups.clear();
  }

  #id(object: GPUBuffer | GPUBindGroupLayout): number {
    let id = this.#ids.get(object);
    if (id === undefined) this.#ids.set(object, (id = this.#nextId++));
    return id;
  }
}
