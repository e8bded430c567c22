/** Plans elementwise kernels: unary functions, binary functions with broadcasting, casts and fills. */
import { backend_util } from '@tensorflow/tfjs-core';
import { checkBinding, elements, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import addSource from './add.wgsl?raw';
import binarySource from './binary.wgsl?raw';
import castSource from './cast.wgsl?raw';
import fillSource from './fill.wgsl?raw';
import selectSource from './select.wgsl?raw';
import unaryIntegersSource from './unary-integers.wgsl?raw';
import unarySource from './unary.wgsl?raw';

export const shaders = {
  unary: readShader('unary', unarySource),
  unaryIntegers: readShader('unary-integers', unaryIntegersSource),
  binary: readShader('binary', binarySource),
  add: readShader('add', addSource),
  cast: readShader('cast', castSource),
  fill: readShader('fill', fillSource),
  select: readShader('select', selectSource),
};

/** Numbers of the functions in unary.wgsl. */
export const unaryOps = {
  Relu: 0, Neg: 1, Exp: 2, Log: 3, Sqrt: 4, Rsqrt: 5, Square: 6, Abs: 7, Sigmoid: 8, Tanh: 9, Reciprocal: 10, Sign: 11,
  Floor: 12, Step: 13, ClipByValue: 14, Relu6: 15, Elu: 16, LeakyRelu: 17, Ceil: 18, Round: 19, Sin: 20, Cos: 21, Tan: 22,
  Asin: 23, Acos: 24, Atan: 25, Sinh: 26, Cosh: 27, Asinh: 28, Acosh: 29, Atanh: 30, Log1p: 31, Expm1: 32, Erf: 33,
  Selu: 34, Softplus: 35, IsNan: 64, IsInf: 65, IsFinite: 66, LogicalNot: 67,
} as const; // prettier-ignore
/** Numbers of the functions in binary.wgsl; Hypot is no kernel of tfjs, but the absolute value of complex numbers. */
export const binaryOps = {
  Add: 0, Sub: 1, Multiply: 2, RealDiv: 3, Maximum: 4, Minimum: 5, SquaredDifference: 6, Pow: 7, FloorDiv: 8, Prelu: 9,
  EluGrad: 10, Mod: 11, Atan2: 12, BitwiseAnd: 13, Hypot: 14, Equal: 16, NotEqual: 17, Less: 18, LessEqual: 19, Greater: 20,
  GreaterEqual: 21, LogicalAnd: 22, LogicalOr: 23,
} as const; // prettier-ignore

/** From here on a function of one tensor gives bools. */
const TEST = 64;
/** WGSL has no way to write a NaN; shaders are handed one. */
const NAN_BITS = 0x7fc00000;
const COMPARISON = 16;
export const MAX_RANK = 6;

const grid = (shader: Shader, size: number, limits: Limits, tuning: Tuning = shader.tunables) => {
  const { THREADS = 1, PER_THREAD = 1 } = tuning;
  return foldWorkgroups(shader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits);
};

/** Functions that unary-integers.wgsl has, too. */
export const integerOps: ReadonlySet<keyof typeof unaryOps> = new Set(['Relu', 'Neg', 'Square', 'Abs', 'Reciprocal', 'Sign', 'Step', 'ClipByValue', 'Relu6', 'Round', 'IsNan', 'IsInf', 'IsFinite', 'LogicalNot']); // prettier-ignore

/** @param type of x, and of y unless the function is a test; int32 only for integerOps */
export function planUnary(
  op: keyof typeof unaryOps,
  shape: readonly number[],
  limits: Limits,
  a = 0,
  b = 0,
  type: 'float32' | 'int32' = 'float32',
): Plan {
  if (type === 'int32' && !integerOps.has(op))
    throw new Error(`${op}: there is none of integers; cast to float32 first`);
  const shader = type === 'int32' ? shaders.unaryIntegers : shaders.unary;
  checkBinding(op, 'x', shape, limits);
  const size = elements(shape);
  const nan = type === 'float32' ? { nan: NAN_BITS } : {};
  const dtype = unaryOps[op] >= TEST ? 'bool' : type;
  return { shader, tuning: shader.tunables, constants: { OP: unaryOps[op] }, params: { size, a, b, ...nan }, workgroups: grid(shader, size, limits), outputs: { y: { shape, dtype } } }; // prettier-ignore
}

/** The last six dimensions, padded with ones in front. @throws for higher ranks, naming the kernel */
export function padShape(kernel: string, shape: readonly number[]): number[] {
  if (shape.length > MAX_RANK)
    throw new Error(`${kernel}: rank ${shape.length} is more than the ${MAX_RANK} this kernel takes; reshape first`);
  return [...new Array<number>(MAX_RANK - shape.length).fill(1), ...shape];
}

export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
}

/** Fields `<prefix>0` … `<prefix>5` of a shader's Params. */
export const fields = (prefix: string, values: readonly number[]): Record<string, number> =>
  Object.fromEntries(values.map((value, i) => [`${prefix}${i}`, value]));

export function planBinary(
  op: keyof typeof binaryOps,
  aShape: readonly number[],
  bShape: readonly number[],
  type: DeviceType,
  limits: Limits,
  tuning: Tuning = {},
): Plan {
  const shader = shaders.binary;
  const tuned = { ...shader.tunables, ...tuning };
  const shape = backend_util.assertAndGetBroadcastShape([...aShape], [...bShape]);
  const sameShape = aShape.join() === bShape.join();
  const padded = padShape(op, shape);
  const strides = (own: readonly number[]) => {
    const dims = padShape(op, own);
    return stridesOf(dims).map((stride, i) => (dims[i] === 1 ? 0 : stride));
  };
  checkBinding(op, 'c', shape, limits);
  const size = elements(shape);
  const isComparison = binaryOps[op] >= COMPARISON;
  const TYPE = (type === 'float32' ? 0 : 1) + (isComparison ? 2 : 0);
  return {
    shader,
    tuning: tuned,
    constants: { OP: binaryOps[op], TYPE, SAME_SHAPE: Number(sameShape) },
    params: {
      size,
      nan: NAN_BITS,
      ...fields('d', padded),
      ...fields('a', strides(aShape)),
      ...fields('b', strides(bShape)),
    },
    workgroups: grid(shader, size, limits, tuned),
    outputs: { c: { shape, dtype: isComparison ? 'bool' : type === 'float32' ? 'float32' : 'int32' } },
  };
}

/** Inputs a and b, of one shape; output c; all of float32 numbers stored in `precision`. */
export function planAdd(
  shape: readonly number[],
  limits: Limits,
  tuning: Tuning = {},
  precision: Precision = 'float32',
): Plan {
  const shader = shaders.add;
  const tuned = { ...shader.tunables, ...tuning };
  checkBinding('Add', 'c', shape, limits, precision);
  const size = Math.ceil(elements(shape) / 4);
  return { shader, tuning: tuned, constants: {}, params: { size }, precision, workgroups: grid(shader, size, limits, tuned), outputs: { c: { shape, dtype: precision } } }; // prettier-ignore
}

/** @returns undefined where the bits stay as they are (bool to int32) */
export function planCast(shape: readonly number[], from: DeviceType, to: DeviceType, limits: Limits): Plan | undefined {
  const shader = shaders.cast;
  if (from === to || (from === 'bool' && to === 'int32')) return undefined;
  checkBinding('cast', 'x', shape, limits);
  const OP = to === 'bool' ? (from === 'float32' ? 2 : 3) : to === 'float32' ? 1 : 0;
  const size = elements(shape);
  return { shader, tuning: shader.tunables, constants: { OP }, params: { size }, workgroups: grid(shader, size, limits), outputs: { y: { shape, dtype: to } } }; // prettier-ignore
}

/** The word that holds `value` as a number of that type. */
export function bitsOf(value: number, dtype: DeviceType): number {
  const words = new DataView(new ArrayBuffer(4));
  if (dtype === 'float32') words.setFloat32(0, value);
  else words.setInt32(0, value);
  return words.getUint32(0);
}

export function planFill(shape: readonly number[], value: number, dtype: DeviceType, limits: Limits): Plan {
  const shader = shaders.fill;
  checkBinding('fill', 'y', shape, limits);
  const size = elements(shape);
  return { shader, tuning: shader.tunables, constants: {}, params: { size, bits: bitsOf(value, dtype) }, workgroups: grid(shader, size, limits), outputs: { y: { shape, dtype } } }; // prettier-ignore
}

/** Condition, both choices and the result have one shape. */
export function planSelect(shape: readonly number[], dtype: DeviceType, limits: Limits): Plan {
  const shader = shaders.select;
  checkBinding('select', 'y', shape, limits);
  const size = elements(shape);
  return { shader, tuning: shader.tunables, constants: {}, params: { size }, workgroups: grid(shader, size, limits), outputs: { y: { shape, dtype } } }; // prettier-ignore
}
