/** tfjs's 'MaxPool' (input x) and 'MaxPoolGrad' (inputs dy, input, output); what they make is stored as x is. */
import { backend_util, type MaxPoolAttrs, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { planMaxPool, planMaxPoolBackward, type PoolShape } from './max-pool.plan.ts';

/** What tfjs gives the pooling kernels; `dilations` is 1 for all of them. */
export type PoolAttributes = MaxPoolAttrs;

/** The geometry of pooling x, as tfjs-core works it out from the attributes. */
export function poolShape(x: TensorInfo, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes): PoolShape {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const info = backend_util.computePool2DInfo(
    [batch, height, width, channels],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    batch,
    channels,
    inH: height,
    inW: width,
    outH: info.outHeight,
    outW: info.outWidth,
    filterH: info.filterHeight,
    filterW: info.filterWidth,
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}

/**
 * Whether pooling gives x back. tfjs takes every window of one pixel whose output has the shape of x for that, strided and
 * padded ones too (its spec "pool max x=[2,2,3] f=[1,1] s=2 p=1").
 */
export const isIdentity = ({ filterH, filterW, inH, inW, outH, outW }: PoolShape): boolean =>
  filterH * filterW === 1 && inH === outH && inW === outW;

export const maxPoolKernels = [
  defineKernel('MaxPool', ({ backend, input, attrs }) => {
    const x = input('x');
    const s = poolShape(x, attrs<PoolAttributes>());
    if (isIdentity(s)) return backend.alias(x, x.shape);
    const { limits } = backend.gpu;
    const { direct } = backend.gpu.tiling('elementwise');
    return backend.runOne(planMaxPool(s, limits, direct, backend.precisionOf(x)), { x });
  }),
  defineKernel('MaxPoolGrad', ({ backend, input, attrs }) => {
    const [dy, x] = [input('dy'), input('input')];
    const { limits } = backend.gpu;
    const { direct } = backend.gpu.tiling('elementwise');
    const s = poolShape(x, attrs<PoolAttributes>());
    const [first, last] = planMaxPoolBackward(s, limits, direct, backend.precisionOf(x));
    const taps = backend.runOne(first, { x });
    const dx = backend.runOne(last, { dy, taps });
    backend.release(taps);
    return dx;
  }),
];
