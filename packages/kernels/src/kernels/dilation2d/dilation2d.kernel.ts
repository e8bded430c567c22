/** Greyscale dilation and its two gradients for TensorFlow.js. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel, type KernelCall } from '../../backend/kernel.ts';
import { checkBinding } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { planPerElement } from '../per-element.plan.ts';
import backwardSource from './dilation2d-backward.wgsl?raw';
import forwardSource from './dilation2d.wgsl?raw';

const forwardShader = readShader('dilation2d', forwardSource);
const backwardShader = readShader('dilation2d-backward', backwardSource);

interface DilationAttrs {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly dilations: [number, number] | number;
}

/** What the shaders are told, and the shape of the output. */
function geometry(x: TensorInfo, w: TensorInfo, { strides, pad, dilations }: DilationAttrs) {
  type Shapes = Parameters<typeof backend_util.computeDilation2DInfo>;
  const info = backend_util.computeDilation2DInfo(x.shape as Shapes[0], w.shape as Shapes[1], strides, pad, 'NHWC', dilations); // prettier-ignore
  const fields = {
    channels: info.inChannels,
    inH: info.inHeight,
    inW: info.inWidth,
    outH: info.outHeight,
    outW: info.outWidth,
    kH: info.filterHeight,
    kW: info.filterWidth,
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
  return { fields, batch: info.batchSize, shape: info.outShape };
}

function forward({ backend, input, attrs }: KernelCall, isTaps: boolean): TensorInfo {
  const [x, w] = [input('x'), input('filter')];
  const { fields, shape } = geometry(x, w, attrs<DilationAttrs>());
  const { limits } = backend.gpu;
  checkBinding('dilation2d', 'x', x.shape, limits);
  const plan = planPerElement({ kernel: 'dilation2d', shader: forwardShader, shape, dtype: isTaps ? 'int32' : 'float32', params: fields, constants: { TAPS: Number(isTaps) } }, limits); // prettier-ignore
  return backend.runOne(plan, { x, w });
}

const gradient = (name: string, of: 'x' | 'filter'): KernelConfig =>
  defineKernel(name, (call) => {
    const { backend, input, attrs } = call;
    const { fields, batch, shape } = geometry(input('x'), input('filter'), attrs<DilationAttrs>());
    const dy = input('dy');
    if (dy.shape.join() !== shape.join()) throw new Error(`dilation2d gradient: dy is [${dy.shape.join(', ')}], but must be [${shape.join(', ')}]`); // prettier-ignore
    const taps = forward(call, true);
    const plan = planPerElement({ kernel: 'dilation2d gradient', shader: backwardShader, shape: input(of).shape, dtype: 'float32', params: { ...fields, batch }, constants: { OF_FILTER: Number(of === 'filter') } }, backend.gpu.limits); // prettier-ignore
    const y = backend.runOne(plan, { dy, taps });
    backend.release(taps);
    return y;
  });

export const dilation2dKernels: readonly KernelConfig[] = [
  defineKernel('Dilation2D', (call) => forward(call, false)),
  gradient('Dilation2DBackpropInput', 'x'),
  gradient('Dilation2DBackpropFilter', 'filter'),
];
