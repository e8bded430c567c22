/**
 * tfjs-cpu's own kernels, run on values that are on the host: for what makes no sense on a GPU (strings, sparse and ragged
 * tensors, non-maximum suppression) and for tensors of strings, which are never on the device.
 */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  getKernel,
  type BackendValues,
  type DataType,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { ThawGpuError } from '../runtime/errors.ts';
import type { ThawBackend } from './thaw-backend.ts';

export type KernelInputs = NamedTensorInfoMap;

export const isTensor = (value: unknown): value is TensorInfo =>
  typeof value === 'object' && value !== null && 'dataId' in value;

/** Its write() without the advice to install tfjs-node. */
class Host extends MathBackendCPU {
  override write(values: BackendValues, _shape: number[], dtype: DataType): object {
    const dataId = {};
    this.data.set(dataId, { values, dtype, refCount: 1 });
    return dataId;
  }
}

let host: Host | undefined;

/** A kernel's outputs. */
type Outputs = TensorInfo | TensorInfo[];

/**
 * Runs tfjs-cpu's kernel of that name; its outputs stay on the host until a kernel of the device needs them.
 * @throws when an input's values are on the device, naming it and the remedy
 */
export function runOnHost(
  backend: ThawBackend,
  kernelName: string,
  inputs: KernelInputs,
  attrs: NamedAttrMap | undefined,
): Outputs {
  const kernel = getKernel(kernelName, 'cpu') as ReturnType<typeof getKernel> | undefined;
  if (!kernel) throw new Error(`${kernelName}: tfjs-cpu has no such kernel`);
  const cpu = (host ??= new Host());
  const given: TensorInfo[] = [];
  /** The tensor on the host. */
  const take = (name: string, tensor: TensorInfo): TensorInfo => {
    const values = backend.hostValues(tensor);
    if (!values)
      throw new ThawGpuError(
        `${kernelName} runs on the host, and the values of '${name}' are on the device: await ${name}.data() first`,
      );
    const taken = { ...tensor, dataId: cpu.write(values, tensor.shape, tensor.dtype) };
    given.push(taken);
    return taken;
  };
  // Beside tensors, kernels get lists of them.
  const takeAny = (name: string, value: unknown): unknown =>
    Array.isArray(value) ? value.map((one, i) => takeAny(`${name}[${i}]`, one)) : isTensor(value) ? take(name, value) : value; // prettier-ignore
  const named = Array.isArray(inputs)
    ? takeAny('inputs', inputs)
    : Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, takeAny(name, value)]));
  const results = kernel.kernelFunc({ inputs: named as NamedTensorInfoMap, backend: cpu, attrs: attrs ?? {} });
  const taken = [results].flat().map(({ dataId, shape, dtype }) => {
    const { values } = cpu.data.get(dataId);
    if (!values) throw new Error(`${kernelName}: tfjs-cpu made no values`);
    return backend.makeTensor(values, shape, dtype);
  });
  for (const { dataId } of [results].flat()) cpu.disposeData(dataId);
  for (const { dataId } of given) cpu.disposeData(dataId);
  const [only] = taken;
  return Array.isArray(results) || !only ? taken : only;
}
