/** What moves elements about for TensorFlow.js: transpose, slices, padding, tiling, concatenation and their like. */
import { backend_util, slice_util, util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements } from '../../runtime/plan.ts';
import { bitsOf, planFill, stridesOf } from '../elementwise/elementwise.plan.ts';
import { planStridedCopy, type Copy } from './transform.plan.ts';

/** A strided copy of x, of x's type. */
const copied = (backend: ThawBackend, x: TensorInfo, copy: Copy): TensorInfo =>
  backend.runOne(planStridedCopy(copy, deviceType(x.dtype), backend.gpu.limits), { x });

export function transpose(backend: ThawBackend, x: TensorInfo, permutation: readonly number[]): TensorInfo {
  const strides = stridesOf(x.shape);
  return copied(backend, x, {
    kernel: 'transpose',
    shape: permutation.map((p) => x.shape[p] ?? 1),
    strides: permutation.map((p) => strides[p] ?? 0),
  });
}

/** @param steps from one element that is taken to the next, in each dimension; they may be negative */
export function slice(
  backend: ThawBackend,
  x: TensorInfo,
  begin: readonly number[],
  shape: readonly number[],
  steps?: readonly number[],
): TensorInfo {
  const strides = stridesOf(x.shape);
  const offset = begin.reduce((sum, b, i) => sum + b * (strides[i] ?? 0), 0);
  return copied(backend, x, { kernel: 'slice', shape, offset, strides: strides.map((stride, i) => stride * (steps?.[i] ?? 1)) }); // prettier-ignore
}

function reverse(backend: ThawBackend, x: TensorInfo, axes: readonly number[]): TensorInfo {
  const begin = x.shape.map((d, i) => (axes.includes(i) ? Math.max(d - 1, 0) : 0));
  return slice(backend, x, begin, x.shape, x.shape.map((_, i) => (axes.includes(i) ? -1 : 1))); // prettier-ignore
}

export function pad(
  backend: ThawBackend,
  x: TensorInfo,
  paddings: readonly (readonly [number, number])[],
  value: number,
): TensorInfo {
  return copied(backend, x, { ...padded('pad', x, paddings), bits: bitsOf(value, deviceType(x.dtype)) });
}

const padded = (kernel: string, x: TensorInfo, paddings: readonly (readonly [number, number])[]): Copy => ({
  kernel,
  shape: x.shape.map((d, i) => d + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0)),
  strides: stridesOf(x.shape),
  begin: paddings.map(([before]) => before),
  lengths: x.shape,
});

export function concat(backend: ThawBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const [first] = parts;
  if (!first) throw new Error('concat: no tensors were given');
  const shapes = parts.map((part) => part.shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const shape = backend_util.computeOutShape(shapes, axis);
  const y = backend.empty(shape, deviceType(first.dtype));
  const strides = stridesOf(shape);
  let offset = 0;
  for (const x of parts) {
    if (elements(x.shape) > 0)
      backend.run(planStridedCopy({ kernel: 'concat', shape: x.shape, strides, offset, scatter: true }, deviceType(x.dtype), backend.gpu.limits), { x, y }); // prettier-ignore
    offset += (x.shape[axis] ?? 0) * (strides[axis] ?? 0);
  }
  return y;
}

/** The same elements under another shape; the tensor given is released. */
export function reshaped(backend: ThawBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const y = backend.alias(x, shape);
  backend.release(x);
  return y;
}

const byParts = { byParts: true };

const transposeKernel = defineKernel('Transpose', ({ backend, input, attrs }) => transpose(backend, input('x'), attrs<{ perm: number[] }>().perm), byParts); // prettier-ignore

const sliceKernel = defineKernel('Slice', ({ backend, input, attrs }) => {
  const x = input('x');
  const { begin, size } = attrs<{ begin: number | number[]; size: number | number[] }>();
  const [from = [], shape = []] = slice_util.parseSliceParams(x, begin, size);
  slice_util.assertParamsValid(x, from, shape);
  return slice(backend, x, from, shape);
}, byParts); // prettier-ignore

interface StridedSliceAttrs {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

const stridedSlice = defineKernel('StridedSlice', ({ backend, input, attrs }) => {
  const x = input('x');
  const a = attrs<StridedSliceAttrs>();
  const info = slice_util.sliceInfo(x.shape, a.begin, a.end, a.strides, a.beginMask, a.endMask, a.ellipsisMask, a.newAxisMask, a.shrinkAxisMask); // prettier-ignore
  if (info.isIdentity) return backend.alias(x, info.finalShape);
  // An end before its beginning leaves nothing.
  const shape = slice_util.computeOutShape(info.begin, info.end, info.strides).map((d) => Math.max(d, 0));
  return reshaped(backend, slice(backend, x, info.begin, shape, info.strides), info.finalShape);
});

const reverseKernel = defineKernel('Reverse', ({ backend, input, attrs }) => {
  const x = input('x');
  return reverse(backend, x, util.parseAxisParam(attrs<{ dims: number[] }>().dims, x.shape));
});

const flipLeftRight = defineKernel('FlipLeftRight', ({ backend, input }) => reverse(backend, input('image'), [2]));

const padKernel = defineKernel('PadV2', ({ backend, input, attrs }) => {
  const { paddings, constantValue } = attrs<{ paddings: [number, number][]; constantValue: number }>();
  return pad(backend, input('x'), paddings, constantValue);
});

const mirrorPad = defineKernel('MirrorPad', ({ backend, input, attrs }) => {
  const x = input('x');
  const { paddings, mode } = attrs<{ paddings: [number, number][]; mode: 'reflect' | 'symmetric' }>();
  return copied(backend, x, { ...padded('mirrorPad', x, paddings), outside: mode });
});

const tile = defineKernel('Tile', ({ backend, input, attrs }) => {
  const x = input('x');
  const { reps } = attrs<{ reps: number[] }>();
  const shape = x.shape.map((d, i) => d * (reps[i] ?? 1));
  return copied(backend, x, { kernel: 'tile', shape, strides: stridesOf(x.shape), lengths: x.shape, outside: 'repeat' }); // prettier-ignore
}, byParts); // prettier-ignore

const concatKernel = defineKernel('Concat', ({ backend, list, attrs }) => {
  const parts = list();
  const [axis = 0] = util.parseAxisParam(attrs<{ axis: number }>().axis, parts[0]?.shape ?? []);
  return concat(backend, parts, axis);
}, byParts); // prettier-ignore

/** x with a dimension of one at `axis`, which may count from the end. */
const expanded = ({ shape }: TensorInfo, axis: number): number[] =>
  shape.toSpliced(axis < 0 ? shape.length + axis + 1 : axis, 0, 1);

const pack = defineKernel('Pack', ({ backend, list, attrs }) => {
  const { axis } = attrs<{ axis: number }>();
  const parts = list();
  const [first] = parts;
  if (!first) throw new Error('stack: no tensors were given');
  for (const part of parts) {
    util.assertShapesMatch(first.shape, part.shape, 'All tensors passed to stack must have matching shapes');
    util.assert(first.dtype === part.dtype, () => 'All tensors passed to stack must have matching dtypes');
  }
  return concat(backend, parts.map((part) => ({ ...part, shape: expanded(part, axis) })), axis < 0 ? first.shape.length + axis + 1 : axis); // prettier-ignore
}, byParts); // prettier-ignore

/** Neighbouring parts of x of the given lengths along an axis. */
function split(backend: ThawBackend, x: TensorInfo, lengths: readonly number[], axis: number): TensorInfo[] {
  let at = 0;
  return lengths.map((length) => {
    const begin = x.shape.map((_, i) => (i === axis ? at : 0));
    at += length;
    return slice(backend, x, begin, x.shape.with(axis, length));
  });
}

const splitKernel = defineKernel('SplitV', ({ backend, input, attrs }) => {
  const x = input('x');
  const { numOrSizeSplits, axis } = attrs<{ numOrSizeSplits: number | number[]; axis: number }>();
  const [at = 0] = util.parseAxisParam(axis, x.shape);
  // tfjs types it as a Tensor and reads its shape only.
  const lengths = backend_util.prepareSplitSize(x, numOrSizeSplits, at); // prettier-ignore
  return split(backend, x, lengths, at);
}, byParts); // prettier-ignore

const unpack = defineKernel('Unpack', ({ backend, input, attrs }) => {
  const x = input('value');
  const [axis = 0] = util.parseAxisParam(attrs<{ axis: number }>().axis, x.shape);
  const ones = new Array<number>(x.shape[axis] ?? 0).fill(1);
  return split(backend, x, ones, axis).map((part) => reshaped(backend, part, x.shape.toSpliced(axis, 1)));
}, byParts); // prettier-ignore

const diag = defineKernel('Diag', ({ backend, input }) => {
  const x = input('x');
  const size = elements(x.shape);
  const { limits } = backend.gpu;
  const y = backend.runOne(planFill([...x.shape, ...x.shape], 0, deviceType(x.dtype), limits), {});
  backend.run(planStridedCopy({ kernel: 'diag', shape: [size], strides: [size + 1], scatter: true }, deviceType(x.dtype), limits), { x, y }); // prettier-ignore
  return y;
});

export const transformKernels: readonly KernelConfig[] = [
  transposeKernel,
  sliceKernel,
  stridedSlice,
  reverseKernel,
  flipLeftRight,
  padKernel,
  mirrorPad,
  tile,
  concatKernel,
  pack,
  splitKernel,
  unpack,
  diag,
];
