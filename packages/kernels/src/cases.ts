/**
 * The shapes that tests and benchmarks share.
 * @module @thaw/kernels/cases
 */
export { resnet50Cases, type Conv2dCase } from './kernels/conv2d/conv2d.cases.ts';
export type { Conv2dShape } from './kernels/conv2d/shape.ts';
