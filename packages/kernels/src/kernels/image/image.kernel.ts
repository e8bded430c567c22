/** CropAndResize, Transform (projective) and RotateWithOffset for TensorFlow.js. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { cast } from '../elementwise/elementwise.kernel.ts';
import { planPerElement, type PerElement } from '../per-element.plan.ts';
import cropSource from './crop-and-resize.wgsl?raw';
import projectSource from './project.wgsl?raw';
import rotateSource from './rotate.wgsl?raw';

const cropShader = readShader('crop-and-resize', cropSource);
const projectShader = readShader('project', projectSource);
const rotateShader = readShader('rotate', rotateSource);

/** Runs a plan that reads images as float32. @returns float32 */
function onImages(
  backend: ThawBackend,
  image: TensorInfo,
  plan: Omit<PerElement, 'dtype'>,
  others: Readonly<Record<string, TensorInfo>>,
): TensorInfo {
  const { limits } = backend.gpu;
  checkBinding(plan.kernel, 'x', image.shape, limits);
  const dispatch: Plan = planPerElement({ ...plan, dtype: 'float32' }, limits);
  const x = cast(backend, image, 'float32');
  const y = backend.runOne(dispatch, { x, ...others });
  backend.release(x);
  return y;
}

/** The tensor in the type of another; it is released. */
function castLike(backend: ThawBackend, y: TensorInfo, { dtype }: TensorInfo): TensorInfo {
  const back = cast(backend, y, dtype);
  backend.release(y);
  return back;
}

interface CropAttrs {
  readonly cropSize: [number, number];
  readonly method: 'bilinear' | 'nearest';
  readonly extrapolationValue: number;
}

const cropAndResize = defineKernel('CropAndResize', ({ backend, input, attrs }) => {
  const [image, boxes, images] = [input('image'), input('boxes'), input('boxInd')];
  const { cropSize: [outH, outW], method, extrapolationValue: outside } = attrs<CropAttrs>(); // prettier-ignore
  const [batch = 0, inH = 0, inW = 0, channels = 0] = image.shape;
  const shape = [boxes.shape[0] ?? 0, outH, outW, channels];
  const params = { batch, channels, inH, inW, outH, outW, outside };
  const constants = { NEAREST: Number(method === 'nearest') };
  return onImages(backend, image, { kernel: 'cropAndResize', shader: cropShader, shape, params, constants }, { boxes, images }); // prettier-ignore
});

const outsides = { constant: 0, reflect: 1, wrap: 2, nearest: 3 } as const;

interface TransformAttrs {
  readonly interpolation: 'nearest' | 'bilinear';
  readonly fillMode: keyof typeof outsides;
  readonly fillValue: number;
  readonly outputShape?: [number, number] | null;
}

const project = defineKernel('Transform', ({ backend, input, attrs }) => {
  const [image, maps] = [input('image'), input('transforms')];
  const { interpolation, fillMode, fillValue: outside, outputShape } = attrs<TransformAttrs>();
  const [batch = 0, inH = 0, inW = 0, channels = 0] = image.shape;
  const [outH, outW] = outputShape ?? [inH, inW];
  const shape = [batch, outH, outW, channels];
  const params = { channels, inH, inW, outH, outW, mapStep: maps.shape[0] === 1 ? 0 : 8, outside };
  const constants = { NEAREST: Number(interpolation === 'nearest'), OUTSIDE: outsides[fillMode] };
  return castLike(backend, onImages(backend, image, { kernel: 'transform', shader: projectShader, shape, params, constants }, { maps }), image); // prettier-ignore
});

/** tfjs-cpu's value of the fourth channel, where the fill is one of colours. */
const OPAQUE = 255;

interface RotateAttrs {
  readonly radians: number;
  readonly fillValue: number | [number, number, number];
  readonly center: number | [number, number];
}

const rotate = defineKernel('RotateWithOffset', ({ backend, input, attrs }) => {
  const image = input('image');
  const { radians, fillValue, center } = attrs<RotateAttrs>();
  const { shape } = image;
  const [, height = 0, width = 0, channels = 0] = shape;
  const [centerX, centerY] = backend_util.getImageCenter(center, height, width);
  const values = Array.from({ length: channels }, (_, c) => (typeof fillValue === 'number' ? fillValue : (fillValue[c] ?? OPAQUE))); // prettier-ignore
  const fill = backend.makeTensor(Float32Array.from(values), [channels], 'float32');
  const params = { channels, height, width, centerX, centerY, cosine: Math.cos(radians), sine: Math.sin(radians) };
  const y = onImages(backend, image, { kernel: 'rotateWithOffset', shader: rotateShader, shape, params }, { fill });
  backend.release(fill);
  return castLike(backend, y, image);
});

export const imageKernels: readonly KernelConfig[] = [cropAndResize, project, rotate];
