/** BatchMatMul and _FusedMatMul (bias and activation) for TensorFlow.js. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import { planMatMul } from './mat-mul.plan.ts';

interface MatMulAttrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const batchMatMul = defineKernel('BatchMatMul', ({ backend, input, attrs }) => {
  const [a, b] = [input('a'), input('b')];
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  return backend.runOne(
    planMatMul(a.shape, b.shape, { transposeA, transposeB }, backend.gpu.limits, backend.gpu.tiling('mat-mul')),
    { a, b },
  );
});

const fusedMatMul = defineKernel('_FusedMatMul', (call) => {
  const { backend, input, attrs } = call;
  const [a, b] = [input('a'), input('b')];
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 1;
  return withEpilogue('fused matMul', call, columns, ({ bias, relu }) => {
    const options = { transposeA, transposeB, bias: bias !== undefined, relu };
    const plan = planMatMul(a.shape, b.shape, options, backend.gpu.limits, backend.gpu.tiling('mat-mul'));
    return backend.runOne(plan, { a, b, bias });
  });
});

export const matMulKernels: readonly KernelConfig[] = [batchMatMul, fusedMatMul];
