/** Elementwise kernels for TensorFlow.js, and those that only rename data (Identity, Reshape, ExpandDims). */
import { util, type DataType, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel, type KernelCall } from '../../backend/kernel.ts';
import { commonPrecision } from '../../backend/precision.ts';
import { deviceType } from '../../backend/storage.ts';
import { elements, type Plan } from '../../runtime/plan.ts';
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

/** The tensor as another type; the caller releases it. The real part is what a complex number is as any other. */
export function cast(backend: ThawBackend, x: TensorInfo, to: DataType): TensorInfo {
  if (x.dtype === 'complex64') return to === x.dtype ? backend.alias(x, x.shape) : cast(backend, backend.parts(x).real, to); // prettier-ignore
  if (to === 'complex64') {
    const parts = [cast(backend, x, 'float32'), filled(backend, x.shape, 0, 'float32')] as const;
    return joined(backend, ...parts);
  }
  const plan = planCast(x.shape, deviceType(x.dtype), deviceType(to), backend.gpu.limits);
  if (plan) return backend.runOne(plan, { x });
  return { ...backend.alias(x, x.shape), dtype: to };
}

/** A complex tensor of two parts, which are released. */
export function joined(backend: ThawBackend, real: TensorInfo, imag: TensorInfo): TensorInfo {
  const y = backend.complex(real, imag);
  backend.release(real);
  backend.release(imag);
  return y;
}

/** A tensor that is `value` everywhere. */
export const filled = (backend: ThawBackend, shape: readonly number[], value: number, dtype: DataType): TensorInfo =>
  backend.runOne(planFill(shape, value, deviceType(dtype), backend.gpu.limits), {});

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
    const isIntegers = x.dtype === 'int32' || name === 'LogicalNot';
    if (isIntegers && integerOps.has(name)) return backend.runOne(plan('int32'), { x });
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

/** A function of two tensors of one type. */
export const binary = (backend: ThawBackend, name: BinaryName, a: TensorInfo, b: TensorInfo): TensorInfo =>
  backend.runOne(planOf(backend, name, a, b), { a, b });

/** (p + q i) (r + s i) = (p r - q s) + (p s + q r) i */
export function complexProduct(backend: ThawBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [{ real: p, imag: q }, { real: r, imag: s }] = [backend.parts(a), backend.parts(b)];
  const then = (name: 'Add' | 'Sub', ...products: readonly [TensorInfo, TensorInfo]): TensorInfo => {
    const y = binary(backend, name, ...products);
    for (const product of products) backend.release(product);
    return y;
  };
  const product = (x: TensorInfo, y: TensorInfo): TensorInfo => binary(backend, 'Multiply', x, y);
  return joined(backend, then('Sub', product(p, r), product(q, s)), then('Add', product(p, s), product(q, r)));
}

/** Names that tfjs gives the operands where they are not a and b. */
const operands: Partial<Record<BinaryName, readonly [string, string]>> = {
  Prelu: ['x', 'alpha'],
  EluGrad: ['dy', 'y'],
};

/** Functions of any numbers whose result is float32. */
const ofFloats: ReadonlySet<BinaryName> = new Set(['Prelu']);
/** Functions that treat the two parts of complex numbers alike; the product is in complex/. */
const byParts: ReadonlySet<BinaryName> = new Set(['Add', 'Sub']);

const binaryKernel = (name: BinaryName): KernelConfig =>
  defineKernel(name, ({ backend, input }) => {
    const [first, second] = operands[name] ?? ['a', 'b'];
    const given = [input(first), input(second)] as const;
    if (name === 'Multiply' && given[0].dtype === 'complex64') return complexProduct(backend, ...given);
    if (!ofFloats.has(name)) return binary(backend, name, ...given);
    const [a, b] = [cast(backend, given[0], 'float32'), cast(backend, given[1], 'float32')];
    const y = binary(backend, name, a, b);
    backend.release(a);
    backend.release(b);
    return y;
  }, { byParts: byParts.has(name) }); // prettier-ignore

const alias = (name: string, newShape: (call: KernelCall, x: TensorInfo) => number[], id = 'x'): KernelConfig =>
  defineKernel(name, (call) => {
    const x = call.input(id);
    return call.backend.alias(x, newShape(call, x));
  });

const reshape = alias('Reshape', ({ attrs }, x) => util.inferFromImplicitShape(attrs<{ shape: number[] }>().shape, util.sizeFromShape(x.shape))); // prettier-ignore
const expandDims = alias('ExpandDims', ({ attrs }, { shape }) => {
  const { dim } = attrs<{ dim: number }>();
  const { length: rank } = shape;
  util.assert(-(rank + 1) <= dim, () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`);
  return shape.toSpliced(dim < 0 ? rank + dim + 1 : dim, 0, 1);
}, 'input'); // prettier-ignore

const castKernel = defineKernel('Cast', ({ backend, input, attrs }) =>
  cast(backend, input('x'), attrs<{ dtype: DataType }>().dtype),
);

const fill = defineKernel('Fill', ({ backend, attrs }) => {
  const { shape, value, dtype = util.inferDtype(value) } = attrs<{ shape: number[]; value: number | string; dtype?: DataType }>(); // prettier-ignore
  if (dtype === 'string') return backend.makeTensor(new Array<Uint8Array>(elements(shape)).fill(util.encodeString(String(value))), shape, dtype); // prettier-ignore
  return filled(backend, shape, Number(value), dtype);
});

const zerosLike = defineKernel('ZerosLike', ({ backend, input }) => {
  const x = input('x');
  return filled(backend, x.shape, 0, x.dtype);
}, { byParts: true }); // prettier-ignore

const onesLike = defineKernel('OnesLike', ({ backend, input }) => {
  const x = input('x');
  if (x.dtype !== 'complex64') return filled(backend, x.shape, 1, x.dtype);
  return joined(backend, filled(backend, x.shape, 1, 'float32'), filled(backend, x.shape, 0, 'float32'));
});

const addN = defineKernel('AddN', ({ backend, list }) => {
  const [first, ...rest] = list();
  if (!first) throw new Error('addN: no tensors were given');
  let sum = backend.alias(first, first.shape);
  for (const next of rest) {
    const before = sum;
    sum = binary(backend, 'Add', before, next);
    backend.release(before);
  }
  return sum;
});

const select = defineKernel('Select', ({ backend, input }) => {
  const [condition, t, e] = [input('condition'), input('t'), input('e')];
  for (const [name, tensor] of [['condition', condition], ['e', e]] as const) checkShape('select', name, tensor, t.shape); // prettier-ignore
  return backend.runOne(planSelect(t.shape, deviceType(t.dtype), backend.gpu.limits), { condition, t, e });
});

const complexKernels: readonly KernelConfig[] = [
  defineKernel('Complex', ({ backend, input }) => backend.complex(input('real'), input('imag'))),
  ...(['real', 'imag'] as const).map((part) =>
    defineKernel(part === 'real' ? 'Real' : 'Imag', ({ backend, input }) => {
      const x = input('input');
      return backend.alias(backend.parts(x)[part], x.shape);
    }),
  ),
  defineKernel('ComplexAbs', ({ backend, input }) => {
    const { real, imag } = backend.parts(input('x'));
    return binary(backend, 'Hypot', real, imag);
  }),
];

const keys = <T extends object>(table: T): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

export const elementwiseKernels: readonly KernelConfig[] = [
  ...keys(unaryOps).map(unaryKernel),
  ...keys(binaryOps).filter((name) => name !== 'Hypot').map(binaryKernel), // prettier-ignore
  ...complexKernels,
  alias('Identity', (_, x) => x.shape),
  reshape,
  expandDims,
  castKernel,
  fill,
  zerosLike,
  onesLike,
  addN,
  select,
];
