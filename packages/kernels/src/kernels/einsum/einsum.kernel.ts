/** Einsum for TensorFlow.js: each operand's dimensions in the order of the equation's, products of all, and sums. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { binary } from '../elementwise/elementwise.kernel.ts';
import { reduce } from '../reduce/reduce.kernel.ts';
import { reshaped, transpose } from '../transform/transform.kernel.ts';

/** @throws, in tfjs's words, where two operands give a dimension different sizes. @param dims of each operand, in order */
function checkSizes(operands: readonly TensorInfo[], dims: readonly number[][]): void {
  const sizes = new Map<number, number>();
  operands.forEach(({ shape }, i) => {
    (dims[i] ?? []).forEach((dim, axis) => {
      const size = sizes.get(dim);
      if (size !== undefined && size !== shape[axis])
        throw new Error(`Expected dimension ${size} at axis ${axis} of input shaped ${JSON.stringify(shape)}, but got dimension ${shape[axis] ?? 0}`); // prettier-ignore
      sizes.set(dim, shape[axis] ?? 0);
    });
  });
}

const einsum = defineKernel('Einsum', ({ backend, list, attrs }) => {
  const operands = list();
  const { equation } = attrs<{ equation: string }>();
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, operands.length);
  checkSizes(operands, idDims);
  const { path, steps } = backend_util.getEinsumComputePath(summedDims, idDims);
  let remaining = allDims.length;
  let product: TensorInfo | undefined;
  /** Takes an operand's dimensions to the places of those that remain, with ones for what it lacks. */
  const placed = (operand: number): TensorInfo => {
    const x = operands[operand];
    if (!x) throw new Error(`einsum: there is no operand ${operand}`);
    const { permutationIndices: order, expandDims } = backend_util.getEinsumPermutation(remaining, idDims[operand] ?? []); // prettier-ignore
    const moved = backend_util.isIdentityPermutation(order) ? backend.alias(x, x.shape) : transpose(backend, x, order);
    return reshaped(backend, moved, expandDims.reduce((shape, dim) => shape.toSpliced(dim, 0, 1), moved.shape)); // prettier-ignore
  };
  steps.forEach((step, i) => {
    for (const operand of step) {
      const next = placed(operand);
      if (!product) product = next;
      else {
        const before = product;
        product = binary(backend, 'Multiply', next, before);
        backend.release(next);
        backend.release(before);
      }
    }
    if (i === steps.length - 1) return;
    const summed = path[i] ?? -1;
    if (product && summed >= 0) {
      const before = product;
      const axis = summed - (allDims.length - remaining);
      product = reduce(backend, 'sum', before, [axis], before.shape.toSpliced(axis, 1));
      backend.release(before);
    }
    remaining--;
  });
  if (!product) throw new Error(`einsum: '${equation}' has no operands`);
  return product;
});

export const einsumKernels: readonly KernelConfig[] = [einsum];
