/** Sum, Mean, Prod, Max, Min, ArgMax, ArgMin, All, Any, Softmax and LogSoftmax for TensorFlow.js. */
import { backend_util, util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, elements, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { cast } from '../elementwise/elementwise.kernel.ts';
import { planBinary, planUnary } from '../elementwise/elementwise.plan.ts';
import { transpose } from '../transform/transform.kernel.ts';
import columnsSource from './reduce-columns.wgsl?raw';
import integersSource from './reduce-integers.wgsl?raw';
import source from './reduce.wgsl?raw';

export const shader = readShader('reduce', source);
export const columnsShader = readShader('reduce-columns', columnsSource);
export const integersShader = readShader('reduce-integers', integersSource);
export const reductions = { sum: 0, max: 1, min: 2, argMax: 3, argMin: 4, prod: 5 } as const;
export type Reduction = keyof typeof reductions;

/** Reduces the middle of [outer, length, inner]; a sum of floats is multiplied by `scale`. */
export function planReduce(
  op: Reduction,
  type: DeviceType,
  [outer, length, inner]: readonly [number, number, number],
  shape: readonly number[],
  limits: Limits,
  scale = 1,
): Plan {
  // prettier-ignore
  if (length === 0 && op !== 'sum' && op !== 'prod') throw new Error(`${op}: there is nothing to choose from in an empty dimension`);
  checkBinding(`reduce ${op}`, 'x', [outer, length, inner], limits);
  const outputs = outer * inner;
  const isFloat = type === 'float32';
  if (op === 'sum' && isFloat && hasLongRows(length, inner) && outer <= limits.maxComputeWorkgroupsPerDimension) {
    const { tunables } = columnsShader;
    const { THREADS = 1, PER_THREAD = 1 } = tunables;
    const [x, y] = foldWorkgroups('reduce sum', Math.ceil(inner / (THREADS * PER_THREAD)), limits);
    return {
      shader: columnsShader,
      tuning: tunables,
      constants: {},
      params: { length, inner, scale },
      workgroups: [x, y, outer],
      outputs: { y: { shape, dtype: 'float32' } },
    };
  }
  const reduced = (op === 'sum' || op === 'prod') && !isFloat ? 'int32' : type;
  const ofType = isFloat ? shader : integersShader;
  return {
    shader: ofType,
    tuning: ofType.tunables,
    constants: { OP: reductions[op] },
    params: { outputs, length, inner, ...(isFloat ? { scale } : {}) },
    workgroups: foldWorkgroups(`reduce ${op}`, outputs, limits),
    outputs: { y: { shape, dtype: op === 'argMax' || op === 'argMin' ? 'int32' : reduced } },
  };
}

/** Sums that one thread can make, and neighbours beside it read whole rows: the gradients of some ranks, each a row. */
const hasLongRows = (length: number, inner: number): boolean => inner >= 64 && length <= Math.max(64, inner / 64);

interface ReduceAttrs {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** Reduces `x` over `axes` to a tensor of `shape`; axes that are not neighbours are moved to the end first. */
export function reduce(
  backend: ThawBackend,
  op: Reduction,
  x: TensorInfo,
  axes: readonly number[],
  shape: readonly number[],
  scale = 1,
): TensorInfo {
  // prettier-ignore
  const sorted = [...axes].sort((p, q) => p - q);
  const [low = 0] = sorted;
  const adjacent = sorted.every((axis, i) => axis === low + i);
  if (!adjacent) {
    const kept = x.shape.map((_, i) => i).filter((i) => !sorted.includes(i));
    const moved = transpose(backend, x, [...kept, ...sorted]);
    const y = reduce(backend, op, moved, sorted.map((_, i) => kept.length + i), shape, scale); // prettier-ignore
    backend.release(moved);
    return y;
  }
  const outer = elements(x.shape.slice(0, low));
  const length = elements(x.shape.slice(low, low + sorted.length));
  const inner = elements(x.shape.slice(low + sorted.length));
  const plan = planReduce(op, deviceType(x.dtype), [outer, length, inner], shape, backend.gpu.limits, scale);
  return backend.runOne(plan, { x });
}

function reduceKernel(name: string, op: Reduction): KernelConfig {
  return defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    const { axis, reductionIndices, keepDims = false } = attrs<ReduceAttrs>();
    const axes = util.parseAxisParam(axis ?? reductionIndices ?? x.shape.map((_, i) => i), x.shape);
    const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    if (name !== 'Mean') return reduce(backend, op, x, axes, shape);
    const count = axes.reduce((product, a) => product * (x.shape[a] ?? 1), 1);
    const float = cast(backend, x, 'float32');
    const y = reduce(backend, op, float, axes, shape, 1 / count);
    backend.release(float);
    return y;
  });
}

function argKernel(name: string, op: Reduction): KernelConfig {
  return defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    const axes = util.parseAxisParam(attrs<ReduceAttrs>().axis ?? 0, x.shape);
    const shape = x.shape.filter((_, i) => !axes.includes(i));
    return reduce(backend, op, x, axes, shape);
  });
}

/** log softmax, or its exponential, over the last axis: shifted by the maximum so that nothing overflows. */
export function softmax(backend: ThawBackend, logits: TensorInfo, isLog: boolean): TensorInfo {
  const { limits } = backend.gpu;
  const last = [logits.shape.length - 1];
  const column = [...logits.shape.slice(0, -1), 1];
  const binary = (op: 'Sub' | 'RealDiv', a: TensorInfo, b: TensorInfo) =>
    backend.runOne(planBinary(op, a.shape, b.shape, 'float32', limits), { a, b });
  const maximum = reduce(backend, 'max', logits, last, column);
  const shifted = binary('Sub', logits, maximum);
  const exponentials = backend.runOne(planUnary('Exp', logits.shape, limits), { x: shifted });
  const sum = reduce(backend, 'sum', exponentials, last, column);
  const used = [maximum, shifted, exponentials, sum];
  let y: TensorInfo;
  if (isLog) {
    const logSum = backend.runOne(planUnary('Log', column, limits), { x: sum });
    y = binary('Sub', shifted, logSum);
    used.push(logSum);
  } else y = binary('RealDiv', exponentials, sum);
  for (const tensor of used) backend.release(tensor);
  return y;
}

export const reduceKernels: readonly KernelConfig[] = [
  reduceKernel('Sum', 'sum'),
  reduceKernel('Mean', 'sum'),
  reduceKernel('Prod', 'prod'),
  reduceKernel('Max', 'max'),
  reduceKernel('Min', 'min'),
  reduceKernel('All', 'min'),
  reduceKernel('Any', 'max'),
  argKernel('ArgMax', 'argMax'),
  argKernel('ArgMin', 'argMin'),
  defineKernel('Softmax', ({ backend, input }) => softmax(backend, input('logits'), false)),
  defineKernel('LogSoftmax', ({ backend, input }) => softmax(backend, input('logits'), true)),
];
