/** BatchMatMul and _FusedMatMul (bias and activation) for TensorFlow.js. */
import { backend_util, type KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { elements } from '../../runtime/plan.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import { planMatMul } from './mat-mul.plan.ts';

interface MatMulAttrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Both shapes with as many dimensions, ones in front, so that batches of different rank agree.
 * @throws where each side would have to be repeated along a batch dimension of the other
 */
function sameRank(a: readonly number[], b: readonly number[]): [number[], number[]] {
  const [aBatch, bBatch] = [a.slice(0, -2), b.slice(0, -2)];
  const batch = backend_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const count = elements(batch);
  if (count === 0)
    return [
      [...batch, ...a.slice(-2)],
      [...batch, ...b.slice(-2)],
    ];
  if ([aBatch, bBatch].some((own) => elements(own) !== 1 && elements(own) !== count))
    throw new Error(`matMul: batches [${aBatch.join(', ')}] and [${bBatch.join(', ')}] repeat each other; tf.tile one`);
  const padded = (shape: readonly number[]): number[] => [
    ...new Array<number>(batch.length + 2 - shape.length).fill(1),
    ...shape,
  ];
  return [padded(a), padded(b)];
}

const batchMatMul = defineKernel('BatchMatMul', ({ backend, input, attrs }) => {
  const [a, b] = [input('a'), input('b')];
  const { transposeA = false, transposeB = false } = attrs<MatMulAttrs>();
  return backend.runOne(
    planMatMul(
      ...sameRank(a.shape, b.shape),
      { transposeA, transposeB },
      backend.gpu.limits,
      backend.gpu.tiling('mat-mul'),
    ),
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
    const plan = planMatMul(...sameRank(a.shape, b.shape), options, backend.gpu.limits, backend.gpu.tiling('mat-mul'));
    return backend.runOne(plan, { a, b, bias });
  });
});

export const matMulKernels: readonly KernelConfig[] = [batchMatMul, fusedMatMul];
