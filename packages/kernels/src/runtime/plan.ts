/** A Plan is one dispatch as data: which shader, how specialised, with what parameters, over how many workgroups. */
import type { Binding, Precision, Shader } from '../wgsl/shader.ts';

/** Element type of a tensor on the device. A bool is a u32 of 0 or 1; float16 is a float32 tensor stored in halves. */
export type DeviceType = 'float32' | 'float16' | 'int32' | 'bool';
export const bytesOf = (type: DeviceType): number => (type === 'float16' ? 2 : 4);
export interface OutputSpec {
  readonly shape: readonly number[];
  readonly dtype: DeviceType;
}
export type Workgroups = readonly [number, number, number];

export interface Plan {
  readonly shader: Shader;
  readonly tuning: Readonly<Record<string, number>>;
  /** Values of the shader's `override`s. */
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
  readonly workgroups: Workgroups;
  /** What the shader's `// @stored` types are. Default float32. */
  readonly precision?: Precision;
  /** Tensors this dispatch creates, by binding name. A read_write binding not named here is given by the caller. */
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  /**
   * Each element of the read_write bindings follows from the same element of the others alone, over params.size vectors
   * of four: a recorded step may lay such tensors out side by side and make one dispatch of many. The bindings named in
   * `shared` are not laid out, as every element has to do with all of them; only dispatches that share them become one.
   * Where padding must not count, `lengths` names the binding of a table: of each params.granule numbers of the arena, how
   * many are a tensor's. Of a single tensor, granule is 0 and params.length is that number.
   */
  readonly elementwise?: {
    readonly perWorkgroup: number;
    readonly shared?: readonly string[];
    readonly lengths?: string;
  };
}

/** What plans need of a device; a GPUDevice's own `limits` fits. */
export interface Limits {
  /** Workgroups of a dispatch, along each axis. */
  readonly maxComputeWorkgroupsPerDimension: number;
  /** Bytes of a tensor. */
  readonly maxStorageBufferBindingSize: number;
  /** Threads of a workgroup. */
  readonly maxComputeInvocationsPerWorkgroup: number;
  /** Bytes of workgroup memory. */
  readonly maxComputeWorkgroupStorageSize: number;
  /** Tensors of a dispatch. */
  readonly maxStorageBuffersPerShaderStage: number;
}

/** Names a compiled pipeline: shader, tuning and constants, never a tensor's size. */
export function pipelineKey({ shader, tuning, constants, precision = 'float32' }: Plan): string {
  let key = precision === 'float32' ? shader.name : `${shader.name} ${precision}`;
  for (const id in tuning) key += ` ${id}=${tuning[id]}`;
  for (const id in constants) key += ` ${id}=${constants[id]}`;
  return key;
}

/** Bytes of one number at a binding. */
export const numberBytes = ({ element }: Binding, { precision = 'float32' }: Plan): number =>
  element === 'stored' ? bytesOf(precision) : 4;

export const elements = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

/**
 * Folds a one-dimensional count of workgroups into two dimensions that the device allows.
 * The shader recovers its index as `group.y * numWorkgroups.x + group.x` and checks it against its own count.
 * @throws when even the fold is too large, naming the kernel and what to reduce.
 */
export function foldWorkgroups(kernel: string, count: number, limits: Limits): Workgroups {
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (count <= most) return [Math.max(count, 1), 1, 1];
  const y = Math.ceil(count / most);
  if (y > most)
    throw new Error(
      `${kernel}: ${count} workgroups are more than this device's ${most} x ${most}; use a smaller batch`,
    );
  return [Math.ceil(count / y), y, 1];
}

/**
 * A grid of `columns` x `rows` tiles; rows beyond the device's limit are folded into the third dimension, where the
 * shader finds its row tile as `group.z * numWorkgroups.y + group.y` and checks it against its own count.
 */
export function foldRows(kernel: string, columns: number, rows: number, limits: Limits): Workgroups {
  const most = limits.maxComputeWorkgroupsPerDimension;
  const z = Math.max(Math.ceil(rows / most), 1);
  if (columns > most || z > most)
    throw new Error(
      `${kernel}: ${columns} x ${rows} workgroups are more than this device's ${most}; use a smaller batch`,
    );
  return [Math.max(columns, 1), Math.max(Math.ceil(rows / z), 1), z];
}

/** @throws when a tensor is larger than the device can bind, naming kernel, tensor, both sizes and the remedy. */
export function checkBinding(
  kernel: string,
  tensor: string,
  shape: readonly number[],
  limits: Limits,
  type: DeviceType = 'float32',
): void {
  const bytes = bytesOf(type) * elements(shape);
  if (bytes > limits.maxStorageBufferBindingSize)
    throw new Error(
      `${kernel}: ${tensor} [${shape.join(', ')}] takes ${bytes.toLocaleString('en')} bytes, more than the ` +
        `${limits.maxStorageBufferBindingSize.toLocaleString('en')} this device can bind; use a smaller batch or image`,
    );
}
