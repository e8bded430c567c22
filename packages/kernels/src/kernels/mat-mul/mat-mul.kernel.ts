/** BatchMatMul and _FusedMatMul (bias, ReLU) for TensorFlow.js. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { planMatMul } from './mat-mul.plan.ts';

interface MatMulAttrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly activation?: string;
}

const batchMatMul = defineKernel('BatchMatMul', ({ backend, input, attrs }) => {
  const [a, b] = [input('a'), input('b')];
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  return backend.runOne(
    planMatMul(a.shape, b.shape, { transposeA, transposeB }, backend.gpu.limits, backend.gpu.tiling('mat-mul')),
    { a, b },
  );
});

const fusedMatMul = defineKernel('_FusedMatMul', ({ backend, input, optional, attrs }) => {
  const [a, b, bias] = [input('a'), input('b'), optional('bias')];
  const { transposeA = false, transposeB = false, activation = 'linear' } = attrs<MatMulAttrs>();
  if (activation !== 'linear' && activation !== 'relu')
    throw new Error(
      `fused matMul: activation '${activation}' is not supported here (linear, relu); apply it after tf.matMul`,
    );
  const options = { transposeA, transposeB, bias: bias !== undefined, relu: activation === 'relu' };
  return backend.runOne(planMatMul(a.shape, b.shape, options, backend.gpu.limits, backend.gpu.tiling('mat-mul')), {
    a,
    b,
    bias,
  });
});

export const matMulKernels: readonly KernelConfig[] = [batchMatMul, fusedMatMul];
