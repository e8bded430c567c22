/** Plans views of images: windows into them, mirrored, sheared, recoloured, partly erased, interpolated and normalised. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader } from '../../wgsl/shader.ts';
import source from './image-views.wgsl?raw';

export const shader = readShader('image-views', source);

/** Numbers of one view, in the order of the shader. */
export const VIEW_LENGTH = 13;

/** As ops/image-views.ts states it. */
export interface ImageViewsSettings {
  readonly side: number;
  readonly channels: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
  readonly shift: readonly [number, number, number];
}

/**
 * Inputs images [batch, inH, inW, 3], views [batch, VIEW_LENGTH]; output y [batch, side, side, 3].
 * @throws when the images have not three channels, or a channel is none of them
 */
export function planImageViews(
  images: readonly number[],
  settings: ImageViewsSettings,
  limits: Limits,
  tuning: Tuning = {},
): Plan {
  const [batch = 0, inH = 0, inW = 0, colours = 0] = images;
  const { side, channels, scale, shift } = settings;
  if (images.length !== 4 || colours !== 3)
    throw new Error(`image-views: images must be [batch, height, width, 3], got [${images.join(', ')}]`);
  if (inH * inW === 0) throw new Error(`image-views: images of ${inH} x ${inW} have no pixel to look at`);
  if (!Number.isInteger(side) || side < 1)
    throw new Error(`image-views: the side must be a whole number of pixels, got ${side}`);
  if (!channels.every((channel) => [0, 1, 2].includes(channel)))
    throw new Error(`image-views: channels must be 0, 1 or 2, got ${channels.join(', ')}`);
  checkBinding('image-views', 'images', images, limits);
  checkBinding('image-views', 'y', [batch, side, side, 3], limits);
  const pixels = batch * side * side;
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const [channel0, channel1, channel2] = channels;
  const [scale0, scale1, scale2] = scale;
  const [shift0, shift1, shift2] = shift;
  return {
    shader,
    tuning: tuned,
    constants: {},
    params: { pixels, inH, inW, side, channel0, channel1, channel2, scale0, scale1, scale2, shift0, shift1, shift2 },
    workgroups: foldWorkgroups('image-views', Math.ceil(pixels / (THREADS * PER_THREAD)), limits),
    outputs: { y: { shape: [batch, side, side, 3], dtype: 'float32' } },
  };
}
