/** BatchMatMul and _FusedMatMul (bias and activation) for TensorFlow.js. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements } from '../../runtime/plan.ts';
import { stridesOf } from '../elementwise/elementwise.plan.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import { planStridedCopy } from '../transform/transform.plan.ts';
import { planMatMul, planMatMulIntegers } from './mat-mul.plan.ts';

interface MatMulAttrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Calls `compute` with both sides in shapes of one rank, so that their batches are the same or one of them has none. A side
 * that would have to be repeated along some of the batch dimensions is copied as often as needed.
 */
function withBatches(
  backend: ThawBackend,
  given: readonly [TensorInfo, TensorInfo],
  compute: (a: TensorInfo, b: TensorInfo) => TensorInfo,
): TensorInfo {
  for (const { shape } of given) if (shape.length < 2) throw new Error(`matMul: [${shape.join(', ')}] is no matrix`);
  const [a, b] = given.map((x) => x.shape.slice(0, -2));
  const batch = backend_util.assertAndGetBroadcastShape(a ?? [], b ?? []);
  const count = elements(batch);
  const side = (x: TensorInfo): TensorInfo => {
    const whole = [...batch, ...x.shape.slice(-2)];
    const padded = [...new Array<number>(whole.length - x.shape.length).fill(1), ...x.shape];
    const own = elements(x.shape.slice(0, -2));
    if (own === count || count === 0) return backend.alias(x, whole);
    if (own === 1) return backend.alias(x, padded);
    const strides = stridesOf(padded).map((stride, i) => (padded[i] === 1 ? 0 : stride));
    return backend.runOne(planStridedCopy({ kernel: 'matMul', shape: whole, strides }, deviceType(x.dtype), backend.gpu.limits), { x }); // prettier-ignore
  };
  const sides = [side(given[0]), side(given[1])] as const;
  const y = compute(...sides);
  for (const x of sides) backend.release(x);
  return y;
}

const batchMatMul = defineKernel('BatchMatMul', ({ backend, input, attrs }) => {
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  const { limits } = backend.gpu;
  const options = { transposeA, transposeB };
  return withBatches(backend, [input('a'), input('b')], (a, b) => {
    const plan =
      a.dtype === 'float32'
        ? planMatMul(a.shape, b.shape, options, limits, backend.gpu.tiling('mat-mul'))
        : planMatMulIntegers(a.shape, b.shape, options, limits);
    return backend.runOne(plan, { a, b });
  });
});

const fusedMatMul = defineKernel('_FusedMatMul', (call) => {
  const { backend, input, attrs } = call;
  const given = [input('a'), input('b')] as const;
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  const columns = given[1].shape.at(transposeB ? -2 : -1) ?? 1;
  return withEpilogue('fused matMul', call, columns, ({ bias, relu }) => {
    const options = { transposeA, transposeB, bias: bias !== undefined, relu };
    return withBatches(backend, given, (a, b) => {
      const plan = planMatMul(a.shape, b.shape, options, backend.gpu.limits, backend.gpu.tiling('mat-mul'));
      return backend.runOne(plan, { a, b, bias });
    });
  });
});

export const matMulKernels: readonly KernelConfig[] = [batchMatMul, fusedMatMul];
