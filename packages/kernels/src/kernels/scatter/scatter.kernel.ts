/** What writes to places that are given as numbers: ScatterNd and its like, segment sums and histograms. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, elements } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { planFill } from '../elementwise/elementwise.plan.ts';
import { flatIndices } from '../gather/gather.kernel.ts';
import { planPerElement } from '../per-element.plan.ts';
import { planStridedCopy } from '../transform/transform.plan.ts';
import binsSource from './bin-indices.wgsl?raw';
import source from './scatter.wgsl?raw';

const shader = readShader('scatter', source);
const binsShader = readShader('bin-indices', binsSource);

interface Scatter {
  readonly kernel: string;
  /** Number of updates. */
  readonly count: number;
  /** Elements of one update. */
  readonly inner: number;
  readonly add: boolean;
}

/** Changes y by the updates [count, inner] (or one value for all of them) at indices [count]. */
function scatterInto(
  backend: ThawBackend,
  y: TensorInfo,
  indices: TensorInfo,
  updates: TensorInfo,
  { kernel, count, inner, add }: Scatter,
): void {
  const { limits } = backend.gpu;
  checkBinding(kernel, 'y', y.shape, limits);
  const shape = [count, inner];
  const constants = { ADD: Number(add), FLOAT: Number(y.dtype === 'float32'), SINGLE: Number(elements(updates.shape) === 1 && count * inner > 1) }; // prettier-ignore
  const params = { count, inner, places: elements(y.shape) / inner };
  backend.run(planPerElement({ kernel, shader, shape, dtype: deviceType(y.dtype), params, constants, inPlace: true }, limits), { indices, updates, y }); // prettier-ignore
}

const filled = (backend: ThawBackend, shape: readonly number[], value: number, dtype: TensorInfo['dtype']) =>
  backend.runOne(planFill(shape, value, deviceType(dtype), backend.gpu.limits), {});

/** y with the updates [n, …] at coordinates [n, depth]. */
function scatter(
  backend: ThawBackend,
  kernel: string,
  y: TensorInfo,
  indices: TensorInfo,
  updates: TensorInfo,
  add: boolean,
): TensorInfo {
  const info = backend_util.calculateShapes(updates, indices, y.shape);
  const { numUpdates: count, sliceSize: inner, strides, outputSize } = info;
  if (outputSize === 0 || count === 0) return y;
  const flat = flatIndices(backend, indices, { count, strides, places: outputSize / inner, shape: y.shape });
  scatterInto(backend, y, flat, updates, { kernel, count, inner, add });
  backend.release(flat);
  return y;
}

const scatterNd = defineKernel('ScatterNd', ({ backend, input, attrs }) => {
  const updates = input('updates');
  const y = filled(backend, attrs<{ shape: number[] }>().shape, 0, updates.dtype);
  return scatter(backend, 'scatterND', y, input('indices'), updates, true);
});

const sparseToDense = defineKernel('SparseToDense', ({ backend, input, attrs }) => {
  const [values, initial] = [input('sparseValues'), input('defaultValue')];
  const shape = attrs<{ outputShape: number[] }>().outputShape;
  const everywhere = { kernel: 'sparseToDense', shape, strides: shape.map(() => 0) };
  const y = backend.runOne(planStridedCopy(everywhere, deviceType(values.dtype), backend.gpu.limits), { x: initial });
  return scatter(backend, 'sparseToDense', y, input('sparseIndices'), values, false);
});

const tensorScatterUpdate = defineKernel('TensorScatterUpdate', ({ backend, input }) => {
  const tensor = input('tensor');
  const whole = { kernel: 'tensorScatterUpdate', shape: [elements(tensor.shape)], strides: [1] };
  const copy = backend.runOne(planStridedCopy(whole, deviceType(tensor.dtype), backend.gpu.limits), { x: tensor });
  const y = { ...copy, shape: tensor.shape };
  return scatter(backend, 'tensorScatterUpdate', y, input('indices'), input('updates'), false);
});

const unsortedSegmentSum = defineKernel('UnsortedSegmentSum', ({ backend, input, attrs }) => {
  const [x, ids] = [input('x'), input('segmentIds')];
  const { numSegments } = attrs<{ numSegments: number }>();
  const [count = 0, ...rest] = x.shape;
  const y = filled(backend, [numSegments, ...rest], 0, x.dtype);
  scatterInto(backend, y, ids, x, { kernel: 'unsortedSegmentSum', count, inner: elements(rest), add: true });
  return y;
});

interface Bins {
  readonly size: number;
  /** One for a bin that holds anything, whatever the weights. */
  readonly binaryOutput?: boolean;
}

/** For each row of x its counts, or the sums of their weights, by value. */
function bincount(backend: ThawBackend, x: TensorInfo, weights: TensorInfo, { size, binaryOutput = false }: Bins): TensorInfo {
  // As tfjs does where the host has the values; on the device negative ones count for nothing.
  for (const value of backend.hostValues(x) ?? [])
    if (Number(value) < 0) throw new Error('Input x must be non-negative!');
  const [columns = 0] = x.shape.slice(-1);
  const count = elements(x.shape);
  const y = filled(backend, [...x.shape.slice(0, -1), size], 0, weights.dtype);
  if (count === 0 || size === 0) return y;
  const { limits } = backend.gpu;
  const bins = backend.runOne(planPerElement({ kernel: 'bincount', shader: binsShader, shape: [count], dtype: 'int32', params: { columns, bins: size } }, limits), { x }); // prettier-ignore
  const isWeighted = !binaryOutput && elements(weights.shape) > 0;
  const updates = isWeighted ? backend.alias(weights, weights.shape) : filled(backend, [1], 1, weights.dtype);
  scatterInto(backend, y, bins, updates, { kernel: 'bincount', count, inner: 1, add: !binaryOutput });
  backend.release(bins);
  backend.release(updates);
  return y;
} // prettier-ignore

const bincountKernel = (name: string): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    // Bincount counts all of x, DenseBincount each row.
    const rows = name === 'Bincount' ? { ...x, shape: [elements(x.shape)] } : x;
    return bincount(backend, rows, input('weights'), attrs<Bins>());
  });

export const scatterKernels: readonly KernelConfig[] = [
  scatterNd,
  sparseToDense,
  tensorScatterUpdate,
  unsortedSegmentSum,
  bincountKernel('Bincount'),
  bincountKernel('DenseBincount'),
];
