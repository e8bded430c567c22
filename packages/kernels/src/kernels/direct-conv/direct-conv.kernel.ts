/** Depthwise convolutions of images and convolutions of volumes, with their gradients, for TensorFlow.js. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements } from '../../runtime/plan.ts';
import { channelsLast, fusedChannelsLast, lastShape } from '../conv2d/layout.ts';
import type { Conv2dAttrs } from '../conv2d/shape.ts';
import { filled } from '../elementwise/elementwise.kernel.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import { windowOfImages, windowOfVolumes } from '../window.ts';
import {
  planDirectConv,
  planDirectConvBackwardFilter,
  planDirectConvBackwardInput,
  type DirectConvShape,
} from './direct-conv.plan.ts';

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

/** Of images [n, h, w, inC] and a filter [kH, kW, inC, multiplier]: a group for each input channel. */
function depthwiseShape(op: string, xShape: readonly number[], wShape: readonly number[], attrs: Conv2dAttrs): DirectConvShape {
  const { strides, pad, dimRoundingMode } = attrs;
  const dilations = attrs.dilations ?? 1;
  if (!backend_util.eitherStridesOrDilationsAreOne(strides, dilations))
    throw new Error(`${op}: Either strides or dilations must be 1. Got strides ${String(strides)} and dilations '${String(dilations)}'`); // prettier-ignore
  const info = backend_util.computeConv2DInfo(xShape as Shape4, wShape as Shape4, strides, dilations, pad, dimRoundingMode, true); // prettier-ignore
  return { ...windowOfImages(info), inC: info.inChannels, outC: info.outChannels, groups: info.inChannels };
} // prettier-ignore

const imageShape = (s: DirectConvShape): number[] => [s.batch, s.outH, s.outW, s.outC];

const depthwise = defineKernel('DepthwiseConv2dNative', ({ backend, input, attrs }) => {
  const w = input('filter');
  return channelsLast(backend, attrs<Conv2dAttrs>(), [input('x')], (conv, x) => {
    const s = depthwiseShape('depthwiseConv2d', x.shape, w.shape, conv);
    return backend.runOne(planDirectConv('depthwiseConv2d', s, imageShape(s), { bias: false, relu: false }, backend.gpu.limits), { x, w }); // prettier-ignore
  });
});

const fusedDepthwise = defineKernel('FusedDepthwiseConv2D', (fused) =>
  fusedChannelsLast<Conv2dAttrs>(fused, (call, attrs, x) => {
    const { backend } = call;
    const w = call.input('filter');
    const s = depthwiseShape('fused depthwiseConv2d', x.shape, w.shape, attrs);
    return withEpilogue(
      'fused depthwiseConv2d',
      call,
      s.outC,
      ({ bias, relu }) =>
      backend.runOne(planDirectConv('fused depthwiseConv2d', s, imageShape(s), { bias: bias !== undefined, relu }, backend.gpu.limits), { x, w, bias }), // prettier-ignore
    );
  }),
);

const isEmpty = (s: DirectConvShape): boolean => s.batch * s.outD * s.outH * s.outW === 0;

/** The gradient of x, of `shape`. */
function inputGradient(backend: ThawBackend, op: string, s: DirectConvShape, shape: readonly number[], dy: TensorInfo, w: TensorInfo): TensorInfo {
  if (elements(dy.shape) !== s.batch * s.outD * s.outH * s.outW * s.outC)
    throw new Error(`${op}: dy is [${dy.shape.join(', ')}], which is not what this convolution of [${shape.join(', ')}] makes`); // prettier-ignore
  if (isEmpty(s)) return filled(backend, shape, 0, 'float32');
  return backend.runOne(planDirectConvBackwardInput(op, s, shape, backend.gpu.limits), { dy, w });
} // prettier-ignore

/** The gradient of the filter, of `shape`. */
function filterGradient(backend: ThawBackend, op: string, s: DirectConvShape, shape: readonly number[], x: TensorInfo, dy: TensorInfo): TensorInfo {
  if (isEmpty(s)) return filled(backend, shape, 0, 'float32');
  return backend.runOne(planDirectConvBackwardFilter(op, s, shape, backend.gpu.limits), { x, dy });
} // prettier-ignore

const depthwiseBackpropInput = defineKernel('DepthwiseConv2dNativeBackpropInput', ({ backend, input, attrs }) => {
  const w = input('filter');
  const { inputShape, ...given } = attrs<Conv2dAttrs & { inputShape: number[] }>();
  return channelsLast(backend, given, [input('dy')], (conv, dy) => {
    const shape = given.dataFormat === 'NCHW' ? lastShape(inputShape) : inputShape;
    const op = 'depthwiseConv2d gradient';
    return inputGradient(backend, op, depthwiseShape(op, shape, w.shape, conv), shape, dy, w);
  });
});

const depthwiseBackpropFilter = defineKernel('DepthwiseConv2dNativeBackpropFilter', ({ backend, input, attrs }) => {
  const { filterShape, ...given } = attrs<Conv2dAttrs & { filterShape: number[] }>();
  const op = 'depthwiseConv2d filter gradient';
  return channelsLast(backend, given, [input('x'), input('dy')], (conv, x, dy) => filterGradient(backend, op, depthwiseShape(op, x.shape, filterShape, conv), filterShape, x, dy), false); // prettier-ignore
});

interface Conv3dAttrs {
  readonly strides: [number, number, number] | number;
  readonly pad: 'valid' | 'same';
  readonly dilations?: [number, number, number] | number;
  readonly dataFormat?: 'NDHWC' | 'NCDHW';
}

/** Of volumes [n, d, h, w, inC] and a filter [kD, kH, kW, inC, outC]. */
function conv3dShape(op: string, xShape: readonly number[], wShape: readonly number[], attrs: Conv3dAttrs): DirectConvShape {
  const { strides, pad, dilations = 1, dataFormat = 'NDHWC' } = attrs;
  if (dataFormat !== 'NDHWC') throw new Error(`${op}: dataFormat ${dataFormat} is not supported; transpose the volume to NDHWC`); // prettier-ignore
  const info = backend_util.computeConv3DInfo(xShape as Shape5, wShape as Shape5, strides, dilations, pad);
  return { ...windowOfVolumes(info), inC: info.inChannels, outC: info.outChannels, groups: 1 };
} // prettier-ignore

const conv3d = defineKernel('Conv3D', ({ backend, input, attrs }) => {
  const [x, w] = [input('x'), input('filter')];
  const s = conv3dShape('conv3d', x.shape, w.shape, attrs<Conv3dAttrs>());
  const shape = [s.batch, s.outD, s.outH, s.outW, s.outC];
  return backend.runOne(planDirectConv('conv3d', s, shape, { bias: false, relu: false }, backend.gpu.limits), { x, w });
});

const conv3dBackpropInput = defineKernel('Conv3DBackpropInputV2', ({ backend, input, attrs }) => {
  const w = input('filter');
  const { inputShape, ...conv } = attrs<Conv3dAttrs & { inputShape: number[] }>();
  const op = 'conv3d gradient';
  return inputGradient(backend, op, conv3dShape(op, inputShape, w.shape, conv), inputShape, input('dy'), w);
});

const conv3dBackpropFilter = defineKernel('Conv3DBackpropFilterV2', ({ backend, input, attrs }) => {
  const x = input('x');
  const { filterShape, ...conv } = attrs<Conv3dAttrs & { filterShape: number[] }>();
  const op = 'conv3d filter gradient';
  return filterGradient(backend, op, conv3dShape(op, x.shape, filterShape, conv), filterShape, x, input('dy'));
});

export const directConvKernels: readonly KernelConfig[] = [
  depthwise,
  fusedDepthwise,
  depthwiseBackpropInput,
  depthwiseBackpropFilter,
  conv3d,
  conv3dBackpropInput,
  conv3dBackpropFilter,
];
