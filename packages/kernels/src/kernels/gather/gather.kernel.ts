/** GatherV2 and GatherNd for TensorFlow.js. */
import { backend_util, util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, elements } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { fields, MAX_RANK } from '../elementwise/elementwise.plan.ts';
import { planPerElement } from '../per-element.plan.ts';
import flattenSource from './flatten-indices.wgsl?raw';
import gatherSource from './gather.wgsl?raw';

const gatherShader = readShader('gather', gatherSource);
const flattenShader = readShader('flatten-indices', flattenSource);

interface GatherShape {
  /** Of the result. */
  readonly shape: readonly number[];
  readonly outer: number;
  /** Of the dimension that is indexed. */
  readonly length: number;
  readonly count: number;
  readonly inner: number;
}

function gather(backend: ThawBackend, x: TensorInfo, indices: TensorInfo, { shape, ...params }: GatherShape): TensorInfo {
  const { limits } = backend.gpu;
  checkBinding('gather', 'x', x.shape, limits);
  const plan = planPerElement({ kernel: 'gather', shader: gatherShader, shape, dtype: deviceType(x.dtype), params }, limits); // prettier-ignore
  return backend.runOne(plan, { x, indices });
} // prettier-ignore

/**
 * What coordinates [n, depth] point to in a tensor seen as [places, …], as int32 [n]; -1 outside.
 * @throws on a place outside where the host has the coordinates; on the device they cannot be looked at
 */
export function flatIndices(
  backend: ThawBackend,
  indices: TensorInfo,
  {
    count,
    strides,
    places,
    shape,
  }: { count: number; strides: readonly number[]; places: number; shape: readonly number[] },
): TensorInfo {
  const depth = indices.shape.length > 1 ? (indices.shape.at(-1) ?? 1) : 1;
  const known = backend.hostValues(indices);
  for (let n = 0; known && n < count; n++) {
    const at = Array.from(known.slice(n * depth, (n + 1) * depth), Number);
    const flat = at.reduce((sum, index, r) => sum + index * (strides[r] ?? 0), 0);
    if (flat < 0 || flat >= places)
      throw new Error(`Invalid indices: ${at.join(',')} does not index into ${shape.join(',')}`);
  }
  if (depth > MAX_RANK) throw new Error(`${depth} coordinates are more than the ${MAX_RANK} that the kernel takes; reshape first`); // prettier-ignore
  const padded = Array.from({ length: MAX_RANK }, (_, r) => (r < depth ? (strides[r] ?? 0) : 0));
  const params = { depth, limit: places, ...fields('s', padded) };
  const plan = planPerElement({ kernel: 'flatten indices', shader: flattenShader, shape: [count], dtype: 'int32', params }, backend.gpu.limits); // prettier-ignore
  return backend.runOne(plan, { indices });
}

const gatherV2 = defineKernel('GatherV2', ({ backend, input, attrs }) => {
  const [x, indices] = [input('x'), input('indices')];
  const { axis, batchDims = 0 } = attrs<{ axis: number; batchDims?: number }>();
  const [at = 0] = util.parseAxisParam(axis, x.shape);
  const length = x.shape[at] ?? 0;
  for (const index of backend.hostValues(indices) ?? [])
    util.assert(Number(index) >= 0 && Number(index) < length, () => `GatherV2: the index value ${Number(index)} is not in [0, ${length - 1}]`); // prettier-ignore
  const { outputShape: shape, batchSize, outerSize: outer, sliceSize: inner } =
    backend_util.segment_util.collectGatherOpShapeInfo(x, indices, at, batchDims); // prettier-ignore
  return gather(backend, x, indices, { shape, outer, length, count: elements(indices.shape) / batchSize, inner });
}, { byParts: true }); // prettier-ignore

const gatherNd = defineKernel('GatherNd', ({ backend, input }) => {
  const [x, indices] = [input('params'), input('indices')];
  const [shape, count, inner, strides] = backend_util.prepareAndValidate(x, indices);
  const places = elements(x.shape) / inner;
  const flat = flatIndices(backend, indices, { count, strides, places, shape: x.shape });
  const y = gather(backend, x, flat, { shape, outer: 1, length: places, count, inner });
  backend.release(flat);
  return y;
});

export const gatherKernels: readonly KernelConfig[] = [gatherV2, gatherNd];
