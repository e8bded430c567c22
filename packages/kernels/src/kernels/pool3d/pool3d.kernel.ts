/** Pooling of volumes with its gradients, and max-pooling of images with positions, for TensorFlow.js. */
import { backend_util, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { cast } from '../elementwise/elementwise.kernel.ts';
import { planPerElement } from '../per-element.plan.ts';
import { windowOfImages, windowOfVolumes, type Window } from '../window.ts';
import backwardSource from './pool3d-backward.wgsl?raw';
import forwardSource from './pool3d.wgsl?raw';

const forwardShader = readShader('pool3d', forwardSource);
const backwardShader = readShader('pool3d-backward', backwardSource);

const poolings = { max: 0, avg: 1, positions: 2 } as const;

interface Pooling {
  readonly window: Window;
  /** Of the result. */
  readonly shape: readonly number[];
  /** Whether of equal maxima the last counts: tfjs-cpu's gradient of volumes takes that one. */
  readonly last?: boolean;
  /** Whether positions count on from one element of the batch to the next. */
  readonly acrossBatch?: boolean;
}

function pool(backend: ThawBackend, op: keyof typeof poolings, x: TensorInfo, pooling: Pooling): TensorInfo {
  const { shape, last = false, acrossBatch = false } = pooling;
  const { batch: _, ...fields } = pooling.window;
  const channels = x.shape.at(-1) ?? 1;
  const { limits } = backend.gpu;
  checkBinding(`${op}-pool`, 'x', x.shape, limits);
  const batchStep = acrossBatch ? fields.inD * fields.inH * fields.inW * channels : 0;
  const plan = planPerElement(
    {
      kernel: `${op}-pool`,
      shader: forwardShader,
      shape,
      dtype: op === 'positions' ? 'int32' : 'float32',
      params: { ...fields, channels, batchStep },
      constants: { OP: poolings[op], LAST: Number(last) },
    },
    limits,
  );
  const float = cast(backend, x, 'float32');
  const y = backend.runOne(plan, { x: float });
  backend.release(float);
  return y;
}

/** The gradient of x. @param positions of the maxima; undefined for an average */
function poolGradient(
  backend: ThawBackend,
  x: TensorInfo,
  dy: TensorInfo,
  { batch: _, ...fields }: Window,
  positions: TensorInfo | undefined,
): TensorInfo {
  const channels = x.shape.at(-1) ?? 1;
  const constants = { AVERAGE: Number(positions === undefined) };
  const plan: Plan = planPerElement({ kernel: 'pool gradient', shader: backwardShader, shape: x.shape, dtype: 'float32', params: { ...fields, channels }, constants }, backend.gpu.limits); // prettier-ignore
  return backend.runOne(plan, { dy, positions });
}

interface Pool3dAttrs {
  readonly filterSize: [number, number, number] | number;
  readonly strides: [number, number, number] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NDHWC' | 'NCDHW';
}

function volumes(x: TensorInfo, attrs: Pool3dAttrs): Pooling {
  const { filterSize, strides, pad, dimRoundingMode, dataFormat = 'NDHWC' } = attrs;
  if (dataFormat !== 'NDHWC') throw new Error(`pool3d: dataFormat ${dataFormat} is not supported; transpose the volume to NDHWC`); // prettier-ignore
  type Shape = [number, number, number, number, number];
  const info = backend_util.computePool3DInfo(x.shape as Shape, filterSize, strides, 1, pad, dimRoundingMode, dataFormat); // prettier-ignore
  return { window: windowOfVolumes(info), shape: info.outShape };
}

const pool3d = (name: string, op: 'max' | 'avg'): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    return pool(backend, op, x, volumes(x, attrs<Pool3dAttrs>()));
  });

const maxPool3dGrad = defineKernel('MaxPool3DGrad', ({ backend, input, attrs }) => {
  const [dy, x] = [input('dy'), input('input')];
  const pooling = volumes(x, attrs<Pool3dAttrs>());
  const positions = pool(backend, 'positions', x, { ...pooling, last: true });
  const dx = poolGradient(backend, x, dy, pooling.window, positions);
  backend.release(positions);
  return dx;
});

const avgPool3dGrad = defineKernel('AvgPool3DGrad', ({ backend, input, attrs }) => {
  const [dy, x] = [input('dy'), input('input')];
  return poolGradient(backend, x, dy, volumes(x, attrs<Pool3dAttrs>()).window, undefined);
});

interface ArgmaxAttrs {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly includeBatchInIndex: boolean;
}

const maxPoolWithArgmax = defineKernel('MaxPoolWithArgmax', ({ backend, input, attrs }) => {
  const x = input('x');
  const { filterSize, strides, pad, includeBatchInIndex: acrossBatch } = attrs<ArgmaxAttrs>();
  const info = backend_util.computePool2DInfo(x.shape as [number, number, number, number], filterSize, strides, 1, pad);
  const pooling = { window: windowOfImages(info), shape: info.outShape, acrossBatch };
  return [pool(backend, 'max', x, pooling), pool(backend, 'positions', x, pooling)];
});

export const pool3dKernels: readonly KernelConfig[] = [
  pool3d('MaxPool3D', 'max'),
  pool3d('AvgPool3D', 'avg'),
  maxPool3dGrad,
  avgPool3dGrad,
  maxPoolWithArgmax,
];
