/** Blocks of pixels to the batch and back, and channels to blocks of pixels: each a transpose of a longer shape. */
import { backend_util, type KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { elements } from '../../runtime/plan.ts';
import { pad, reshaped, slice, transpose } from './transform.kernel.ts';

const spaceToBatch = defineKernel('SpaceToBatchND', ({ backend, input, attrs }) => {
  const x = input('x');
  const { blockShape, paddings } = attrs<{ blockShape: number[]; paddings: [number, number][] }>();
  const none: [number, number] = [0, 0];
  const rest = x.shape.slice(1 + blockShape.length).map(() => none);
  const padded = pad(backend, x, [none, ...paddings, ...rest], 0);
  const shape = backend_util.getReshaped(padded.shape, blockShape, elements(blockShape), false);
  const order = backend_util.getPermuted(shape.length, blockShape.length, false);
  const moved = transpose(backend, { ...padded, shape }, order);
  const y = reshaped(backend, moved, backend_util.getReshapedPermuted(padded.shape, blockShape, elements(blockShape), false)); // prettier-ignore
  backend.release(padded);
  return y;
});

const batchToSpace = defineKernel('BatchToSpaceND', ({ backend, input, attrs }) => {
  const x = input('x');
  const { blockShape, crops } = attrs<{ blockShape: number[]; crops: number[][] }>();
  const blocks = elements(blockShape);
  const shape = backend_util.getReshaped(x.shape, blockShape, blocks);
  const moved = transpose(backend, { ...x, shape }, backend_util.getPermuted(shape.length, blockShape.length));
  const whole = reshaped(backend, moved, backend_util.getReshapedPermuted(x.shape, blockShape, blocks));
  const begin = backend_util.getSliceBeginCoords(crops, blockShape.length);
  const size = backend_util.getSliceSize(whole.shape, crops, blockShape.length);
  // Both end with the blocks' dimensions; of the rest all is taken.
  const y = slice(backend, whole, whole.shape.map((_, i) => begin[i] ?? 0), whole.shape.map((d, i) => size[i] ?? d)); // prettier-ignore
  backend.release(whole);
  return y;
});

const depthToSpace = defineKernel('DepthToSpace', ({ backend, input, attrs }) => {
  const x = input('x');
  const { blockSize: b, dataFormat } = attrs<{ blockSize: number; dataFormat: 'NHWC' | 'NCHW' }>();
  const isLast = dataFormat === 'NHWC';
  const [batch = 0, ...rest] = x.shape;
  const [height = 0, width = 0, channels = 0] = isLast ? rest : [...rest.slice(1), rest[0] ?? 0];
  const depth = channels / (b * b);
  const shape = isLast ? [batch, height, width, b, b, depth] : [batch, b, b, depth, height, width];
  const moved = transpose(backend, { ...x, shape }, isLast ? [0, 1, 3, 2, 4, 5] : [0, 3, 4, 1, 5, 2]);
  return reshaped(backend, moved, isLast ? [batch, height * b, width * b, depth] : [batch, depth, height * b, width * b]); // prettier-ignore
});

export const blockKernels: readonly KernelConfig[] = [spaceToBatch, batchToSpace, depthToSpace];
