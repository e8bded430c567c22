/** Elementwise kernels for TensorFlow.js, and those that only rename data (Identity, Reshape, ExpandDims). */
import { util, type DataType, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel, type KernelCall } from '../../backend/kernel.ts';
import { commonPrecision } from '../../backend/precision.ts';
import { deviceType } from '../../backend/storage.ts';
import type { Plan } from '../../runtime/plan.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import {
  binaryOps,
  integerOps,
  planAdd,
  planBinary,
  planCast,
  planFill,
  planSelect,
  planUnary,
  unaryOps,
} from './elementwise.plan.ts';

/** The tensor as float32; the caller releases it. */
export function cast(backend: ThawBackend, x: TensorInfo, to: DataType): TensorInfo {
  const plan = planCast(x.shape, deviceType(x.dtype), deviceType(to), backend.gpu.limits);
  if (plan) return backend.runOne(plan, { x });
  return { ...backend.alias(x, x.shape), dtype: to };
}

type UnaryName = keyof typeof unaryOps;
type BinaryName = keyof typeof binaryOps;

interface UnaryAttrs {
  readonly alpha?: number;
  readonly clipValueMin?: number;
  readonly clipValueMax?: number;
}

/** Functions whose result is float32 whatever they are given; tfjs asks for float32 in the first place for others. */
const floatResults: ReadonlySet<UnaryName> = new Set(['Exp', 'LeakyRelu']);

const unaryKernel = (name: UnaryName): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    const { alpha = 0, clipValueMin, clipValueMax = 0 } = attrs<UnaryAttrs>();
    const plan = (type: 'float32' | 'int32'): Plan =>
      planUnary(name, x.shape, backend.gpu.limits, clipValueMin ?? alpha, clipValueMax, type);
    if (x.dtype === 'int32' && integerOps.has(name)) return backend.runOne(plan('int32'), { x });
    const float = cast(backend, x, 'float32');
    const y = backend.runOne(plan('float32'), { x: float });
    backend.release(float);
    if (x.dtype !== 'bool' || floatResults.has(name)) return y;
    const back = cast(backend, y, x.dtype);
    backend.release(y);
    return back;
  });

function planOf(backend: ThawBackend, name: BinaryName, a: TensorInfo, b: TensorInfo): Plan {
  const { limits } = backend.gpu;
  const { direct } = backend.gpu.tiling('elementwise');
  const isOfFloats = a.dtype === 'float32' && b.dtype === 'float32';
  // The tape adds the gradients of a tensor that was used twice.
  if (name === 'Add' && isOfFloats && util.arraysEqual(a.shape, b.shape))
    return planAdd(a.shape, limits, direct, commonPrecision(backend, a, b));
  return planBinary(name, a.shape, b.shape, deviceType(a.dtype), limits, direct);
}

/** Names that tfjs gives the operands where they are not a and b. */
const operands: Partial<Record<BinaryName, readonly [string, string]>> = {
  Prelu: ['x', 'alpha'],
  EluGrad: ['dy', 'y'],
};

const binaryKernel = (name: BinaryName): KernelConfig =>
  defineKernel(name, ({ backend, input }) => {
    const [first, second] = operands[name] ?? ['a', 'b'];
    const [a, b] = [input(first), input(second)];
    return backend.runOne(planOf(backend, name, a, b), { a, b });
  });

const alias = (name: string, newShape: (call: KernelCall, x: TensorInfo) => number[], id = 'x'): KernelConfig =>
  defineKernel(name, (call) => {
    const x = call.input(id);
    return call.backend.alias(x, newShape(call, x));
  });

const reshape = alias('Reshape', ({ attrs }, x) => util.inferFromImplicitShape(attrs<{ shape: number[] }>().shape, util.sizeFromShape(x.shape))); // prettier-ignore
const expandDims = alias('ExpandDims', ({ attrs }, x) => {
  const { dim } = attrs<{ dim: number }>();
  return x.shape.toSpliced(dim < 0 ? x.shape.length + dim + 1 : dim, 0, 1);
}, 'input'); // prettier-ignore

const castKernel = defineKernel('Cast', ({ backend, input, attrs }) =>
  cast(backend, input('x'), attrs<{ dtype: DataType }>().dtype),
);

const fill = defineKernel('Fill', ({ backend, attrs }) => {
  const { shape, value, dtype = 'float32' } = attrs<{ shape: number[]; value: number; dtype?: DataType }>();
  return backend.runOne(planFill(shape, value, deviceType(dtype), backend.gpu.limits), {});
});

const like = (name: string, value: number): KernelConfig =>
  defineKernel(name, ({ backend, input }) => {
    const x = input('x');
    return backend.runOne(planFill(x.shape, value, deviceType(x.dtype), backend.gpu.limits), {});
  });

const addN = defineKernel('AddN', ({ backend, list }) => {
  const [first, ...rest] = list();
  if (!first) throw new Error('addN: no tensors were given');
  let sum = backend.alias(first, first.shape);
  for (const next of rest) {
    const before = sum;
    sum = backend.runOne(planOf(backend, 'Add', before, next), { a: before, b: next });
    backend.release(before);
  }
  return sum;
});

const select = defineKernel('Select', ({ backend, input }) => {
  const [condition, t, e] = [input('condition'), input('t'), input('e')];
  for (const [name, tensor] of [['condition', condition], ['e', e]] as const) checkShape('select', name, tensor, t.shape); // prettier-ignore
  return backend.runOne(planSelect(t.shape, deviceType(t.dtype), backend.gpu.limits), { condition, t, e });
});

const keys = <T extends object>(table: T): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

export const elementwiseKernels: readonly KernelConfig[] = [
  ...keys(unaryOps).map(unaryKernel),
  ...keys(binaryOps).map(binaryKernel),
  alias('Identity', (_, x) => x.shape),
  reshape,
  expandDims,
  castKernel,
  fill,
  like('ZerosLike', 0),
  like('OnesLike', 1),
  addN,
  select,
];
