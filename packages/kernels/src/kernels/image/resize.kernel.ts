/** ResizeBilinear, ResizeNearestNeighbor and their gradients for TensorFlow.js. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { checkBinding, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import { cast } from '../elementwise/elementwise.kernel.ts';
import { planPerElement } from '../per-element.plan.ts';
import { placesOf, spansOf, type Place, type ResizeOptions } from './resize-axis.ts';
import backwardSource from './resize-backward.wgsl?raw';
import forwardSource from './resize.wgsl?raw';

const forwardShader = readShader('resize', forwardSource);
const backwardShader = readShader('resize-backward', backwardSource);

interface Sizes {
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
}

const planResize = (shader: Shader, shape: readonly number[], sizes: Sizes, limits: Limits): Plan =>
  planPerElement({ kernel: shader.name, shader, shape, dtype: 'float32', params: { ...sizes } }, limits);

const places = ({ inH, inW, outH, outW }: Sizes, options: ResizeOptions): [Place[], Place[]] => [
  placesOf(inH, outH, options),
  placesOf(inW, outW, options),
];

const vector = (backend: ThawBackend, values: readonly number[]): TensorInfo =>
  backend.makeTensor(Float32Array.from(values), [values.length], 'float32');

const axesOf = (backend: ThawBackend, [rows, columns]: [Place[], Place[]]): TensorInfo =>
  vector(backend, [...rows, ...columns].flatMap(({ lower, upper, distance }) => [lower, upper, distance, 0])); // prettier-ignore

type Attrs = Omit<ResizeOptions, 'method'>;

const resize = (name: string, method: ResizeOptions['method']): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const image = input('images');
    const { size: [outH, outW], ...options } = attrs<Attrs & { size: [number, number] }>(); // prettier-ignore
    const [batch = 0, inH = 0, inW = 0, channels = 0] = image.shape;
    const sizes = { channels, inH, inW, outH, outW };
    const { limits } = backend.gpu;
    checkBinding('resize', 'x', image.shape, limits);
    const x = cast(backend, image, 'float32');
    const axes = axesOf(backend, places(sizes, { method, ...options }));
    const y = backend.runOne(planResize(forwardShader, [batch, outH, outW, channels], sizes, limits), { x, axes });
    backend.release(x);
    backend.release(axes);
    if (method === 'bilinear' || image.dtype === 'float32') return y;
    const back = cast(backend, y, image.dtype);
    backend.release(y);
    return back;
  });

const resizeGradient = (name: string, method: ResizeOptions['method']): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const [{ shape }, dy] = [input('images'), input('dy')];
    const [, inH = 0, inW = 0, channels = 0] = shape;
    const [, outH = 0, outW = 0] = dy.shape;
    const sizes = { channels, inH, inW, outH, outW };
    const { limits } = backend.gpu;
    checkBinding('resize gradient', 'dy', dy.shape, limits);
    const [rows, columns] = places(sizes, { method, ...attrs<Attrs>() });
    const axes = axesOf(backend, [rows, columns]);
    const spans = vector(backend, [...spansOf(rows, inH), ...spansOf(columns, inW)].flat());
    const dx = backend.runOne(planResize(backwardShader, shape, sizes, limits), { dy, axes, spans });
    backend.release(axes);
    backend.release(spans);
    return dx;
  });

export const resizeKernels: readonly KernelConfig[] = [
  resize('ResizeBilinear', 'bilinear'),
  resize('ResizeNearestNeighbor', 'nearest'),
  resizeGradient('ResizeBilinearGrad', 'bilinear'),
  resizeGradient('ResizeNearestNeighborGrad', 'nearest'),
];
