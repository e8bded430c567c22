/** Images with their channels first (tfjs's NCHW): the kernels have them last, so they are turned before and after. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCall } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements } from '../../runtime/plan.ts';
import { transpose } from '../transform/transform.kernel.ts';
import type { Conv2dAttrs } from './shape.ts';

/** [n, c, h, w] as [n, h, w, c]. */
export const lastShape = ([n = 1, c = 1, h = 1, w = 1]: readonly number[]): number[] => [n, h, w, c];

/** The same attributes of images with their channels last. */
function lastAttrs<T extends Conv2dAttrs>(attrs: T): T {
  const { pad } = attrs;
  const turned: Conv2dAttrs['pad'] = typeof pad === 'object' ? [pad[0], pad[2], pad[3], pad[1]] : pad;
  return { ...attrs, dataFormat: 'NHWC', pad: turned };
}

const isFirst = ({ dataFormat }: Conv2dAttrs): boolean => dataFormat === 'NCHW';

/**
 * Calls `compute` with images whose channels come last, and the attributes that go with them.
 * @param toImages whether the result is images again, and not a filter
 */
export function channelsLast<T extends Conv2dAttrs, Images extends readonly TensorInfo[]>(
  backend: ThawBackend,
  attrs: T,
  images: readonly [...Images],
  compute: (attrs: T, ...images: Images) => TensorInfo,
  toImages = true,
): TensorInfo {
  if (!isFirst(attrs)) return compute(attrs, ...images);
  const turned = images.map((image) => transpose(backend, image, [0, 2, 3, 1]));
  const y = compute(lastAttrs(attrs), ...(turned as [...Images]));
  for (const image of turned) backend.release(image);
  if (!toImages) return y;
  const back = transpose(backend, y, [0, 3, 1, 2]);
  backend.release(y);
  return back;
}

/** channelsLast() for a fused kernel: bias and slopes that go along the channels lie along the last dimension, too. */
export function fusedChannelsLast<T extends Conv2dAttrs>(
  call: KernelCall,
  compute: (call: KernelCall, attrs: T, x: TensorInfo) => TensorInfo,
): TensorInfo {
  const { backend } = call;
  const turned: TensorInfo[] = [];
  const along = (tensor: TensorInfo): TensorInfo => {
    const { shape } = tensor;
    // [c, 1, 1] or [c]; a map for each channel is turned like an image.
    if (elements(shape) === (shape[0] ?? 1)) return { ...tensor, shape: [elements(shape)] };
    if (shape.length < 3) return tensor;
    const map = transpose(backend, tensor, shape.length === 3 ? [1, 2, 0] : [0, 2, 3, 1]);
    turned.push(map);
    return map;
  };
  const y = channelsLast(backend, call.attrs<T>(), [call.input('x')], (attrs, x) => {
    if (!isFirst(call.attrs<T>())) return compute(call, attrs, x);
    const isAlong = (name: string): boolean => name === 'bias' || name === 'preluActivationWeights';
    const optional = (name: string): TensorInfo | undefined => {
      const tensor = call.optional(name);
      return tensor && isAlong(name) ? along(tensor) : tensor;
    };
    const input = (name: string): TensorInfo => optional(name) ?? call.input(name);
    return compute({ ...call, optional, input }, attrs, x);
  });
  for (const tensor of turned) backend.release(tensor);
  return y;
}
