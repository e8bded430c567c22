/** Transpose, Slice, PadV2, Tile, Concat and GatherV2 for TensorFlow.js. */
import { backend_util, slice_util, util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, elements, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { fields, padShape, stridesOf } from '../elementwise/elementwise.plan.ts';
import gatherSource from './gather.wgsl?raw';
import transformSource from './transform.wgsl?raw';

export const shader = readShader('transform', transformSource);
export const gatherShader = readShader('gather', gatherSource);

export interface Copy {
  readonly kernel: string;
  /** Shape that is walked: y's, or x's when scattering. */
  readonly shape: readonly number[];
  /** Stride in the other tensor of each dimension of `shape`. */
  readonly strides: readonly number[];
  readonly offset?: number;
  /** Where the source begins in each dimension, and its length there; default all of `shape`. */
  readonly begin?: readonly number[];
  readonly lengths?: readonly number[];
  readonly wrap?: boolean;
  readonly scatter?: boolean;
  /** Bits of the constant outside the source. */
  readonly bits?: number;
}

export function planCopy(copy: Copy, dtype: DeviceType, limits: Limits): Plan {
  const { kernel, shape, strides, offset = 0, begin, lengths, wrap = false, scatter = false, bits = 0 } = copy;
  const front = <T>(values: readonly T[], fill: T) => [...new Array<T>(6 - values.length).fill(fill), ...values];
  const dims = padShape(kernel, shape);
  checkBinding(kernel, scatter ? 'x' : 'y', shape, limits);
  const size = elements(shape);
  return {
    shader,
    tuning: shader.tunables,
    constants: { WRAP: Number(wrap), SCATTER: Number(scatter) },
    params: { size, bits, offset, ...fields('d', dims), ...fields('s', front(strides, 0)), ...fields('lo', front(begin ?? [], 0)), ...fields('n', front(lengths ?? shape, 1)) }, // prettier-ignore
    workgroups: foldWorkgroups(kernel, Math.ceil(size / (shader.tunables['THREADS'] ?? 1)), limits),
    outputs: scatter ? {} : { y: { shape, dtype } },
  };
}

export function transpose(backend: ThawBackend, x: TensorInfo, permutation: readonly number[]): TensorInfo {
  const strides = stridesOf(x.shape);
  const copy = {
    kernel: 'transpose',
    shape: permutation.map((p) => x.shape[p] ?? 1),
    strides: permutation.map((p) => strides[p] ?? 0),
  };
  return backend.runOne(planCopy(copy, deviceType(x.dtype), backend.gpu.limits), { x });
}

const transposeKernel = defineKernel('Transpose', ({ backend, input, attrs }) => transpose(backend, input('x'), attrs<{ perm: number[] }>().perm)); // prettier-ignore

const slice = defineKernel('Slice', ({ backend, input, attrs }) => {
  const x = input('x');
  const { begin, size } = attrs<{ begin: number | number[]; size: number | number[] }>();
  const [from = [], shape = []] = slice_util.parseSliceParams(x, begin, size);
  slice_util.assertParamsValid(x, from, shape);
  const strides = stridesOf(x.shape);
  const offset = from.reduce((sum, b, i) => sum + b * (strides[i] ?? 0), 0);
  return backend.runOne(
    planCopy({ kernel: 'slice', shape, strides, offset }, deviceType(x.dtype), backend.gpu.limits),
    { x },
  );
});

const pad = defineKernel('PadV2', ({ backend, input, attrs }) => {
  const x = input('x');
  const { paddings, constantValue } = attrs<{ paddings: [number, number][]; constantValue: number }>();
  const shape = x.shape.map((d, i) => d + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));
  const words = new DataView(new ArrayBuffer(4));
  if (x.dtype === 'float32') words.setFloat32(0, constantValue);
  else words.setInt32(0, constantValue);
  const copy = { kernel: 'pad', shape, strides: stridesOf(x.shape), begin: paddings.map(([before]) => before), lengths: x.shape, bits: words.getUint32(0) }; // prettier-ignore
  return backend.runOne(planCopy(copy, deviceType(x.dtype), backend.gpu.limits), { x });
});

const tile = defineKernel('Tile', ({ backend, input, attrs }) => {
  const x = input('x');
  const { reps } = attrs<{ reps: number[] }>();
  const shape = x.shape.map((d, i) => d * (reps[i] ?? 1));
  const copy = { kernel: 'tile', shape, strides: stridesOf(x.shape), lengths: x.shape, wrap: true };
  return backend.runOne(planCopy(copy, deviceType(x.dtype), backend.gpu.limits), { x });
});

const concat = defineKernel('Concat', ({ backend, list, attrs }) => {
  const parts = list();
  const [first] = parts;
  if (!first) throw new Error('concat: no tensors were given');
  const [axis = 0] = util.parseAxisParam(attrs<{ axis: number }>().axis, first.shape);
  const shape = backend_util.computeOutShape(parts.map((p) => p.shape), axis); // prettier-ignore
  const y = backend.empty(shape, deviceType(first.dtype));
  const strides = stridesOf(shape);
  let offset = 0;
  for (const x of parts) {
    if (elements(x.shape) > 0)
      backend.run(planCopy({ kernel: 'concat', shape: x.shape, strides, offset, scatter: true }, deviceType(x.dtype), backend.gpu.limits), { x, y }); // prettier-ignore
    offset += (x.shape[axis] ?? 0) * (strides[axis] ?? 0);
  }
  return y;
});

const gather = defineKernel('GatherV2', ({ backend, input, attrs }) => {
  const [x, indices] = [input('x'), input('indices')];
  const { axis, batchDims = 0 } = attrs<{ axis: number; batchDims?: number }>();
  const [at = 0] = util.parseAxisParam(axis, x.shape);
  const {
    outputShape: shape,
    batchSize,
    outerSize: outer,
    dimSize: length,
    sliceSize: inner,
  } = backend_util.segment_util.collectGatherOpShapeInfo(x, indices, at, batchDims);
  const count = elements(indices.shape) / batchSize;
  const size = elements(shape);
  const { tunables } = gatherShader;
  checkBinding('gather', 'x', x.shape, backend.gpu.limits);
  checkBinding('gather', 'y', shape, backend.gpu.limits);
  const plan: Plan = {
    shader: gatherShader,
    tuning: tunables,
    constants: {},
    params: { size, outer, length, count, inner },
    workgroups: foldWorkgroups('gather', Math.ceil(size / (tunables['THREADS'] ?? 1)), backend.gpu.limits),
    outputs: { y: { shape, dtype: deviceType(x.dtype) } },
  };
  return backend.runOne(plan, { x, indices });
});

export const transformKernels: readonly KernelConfig[] = [transposeKernel, slice, pad, tile, concat, gather];
