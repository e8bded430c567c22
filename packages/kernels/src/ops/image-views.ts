// Views of images: what augmentation and enlarging make of small images, on the device, so that only the small ones are
// uploaded. Kernel 'ThawImageViews': inputs images, views; attributes ImageViewsSettings; no gradient.
import * as tf from '@tensorflow/tfjs-core';
import { VIEW_LENGTH, type ImageViewsSettings } from '../kernels/image-views/image-views.plan.ts';
import { onThaw, presentInputs } from './backend.ts';

/** How an image is looked at. */
export interface ImageView {
  /** Edges of the window, in pixels of the image; x0 > x1 mirrors it. Beyond its edges an image goes on mirrored. */
  readonly x0: number;
  /** Right edge. */
  readonly x1: number;
  /** Upper edge. */
  readonly y0: number;
  /** Lower edge. */
  readonly y1: number;
  /** Pixels that what is seen moves to the right in the image, from the top of the view to its bottom. */
  readonly shearX: number;
  /** Pixels that it moves down, from the left of the view to its right. With shearX and the window, any affine map. */
  readonly shearY: number;
  /** A colour becomes gain rgb + grey luma + offset, held within 0 to 255. */
  readonly gain: number;
  /** Share of the luma. */
  readonly grey: number;
  /** Added, of 255. */
  readonly offset: number;
  /** Pixels of the view that are 0 after normalisation; right and bottom are the first beyond. */
  readonly erased: {
    /** First column that is erased. */
    readonly left: number;
    /** First row that is erased. */
    readonly top: number;
    /** First column beyond. */
    readonly right: number;
    /** First row beyond. */
    readonly bottom: number;
  };
}

/** An output channel c is scale[c] rgb[channels[c]] + shift[c]. */
export interface Normalisation {
  /** Which channel of RGB each output channel is made of. */
  readonly channels: readonly [number, number, number];
  /** One of each output channel. */
  readonly scale: readonly [number, number, number];
  /** One of each output channel. */
  readonly shift: readonly [number, number, number];
}

/** Views as rows of numbers. @returns [views.length, VIEW_LENGTH] */
export function packViews(views: readonly ImageView[]): Float32Array {
  const rows = views.flatMap(({ x0, x1, y0, y1, shearX, shearY, gain, grey, offset, erased }) => {
    const { left, top, right, bottom } = erased;
    return [x0, x1, y0, y1, gain, grey, offset, left, top, right, bottom, shearX, shearY];
  });
  return Float32Array.from(rows);
}

/** The length of a packed view. */
export { VIEW_LENGTH };

/**
 * Looks at each image through its view: window, interpolation, colour, erasing, normalisation.
 *
 * @param images [batch, height, width, 3], RGB from 0 to 255
 * @param views [batch, VIEW_LENGTH], as packViews gives them
 * @param side of the square result, in pixels
 * @returns [batch, side, side, 3]
 */
export function imageViews(
  images: tf.Tensor4D,
  views: tf.Tensor2D,
  side: number,
  { channels, scale, shift }: Normalisation,
): tf.Tensor4D {
  if (onThaw()) {
    const settings: ImageViewsSettings = { side, channels, scale, shift };
    return tf.engine().runKernel('ThawImageViews', presentInputs({ images, views }), { ...settings });
  }
  return tf.tidy(() => {
    const [batch, height, width] = images.shape;
    const each = (i: number): tf.Tensor4D => tf.reshape(tf.slice(views, [0, i], [batch, 1]), [batch, 1, 1, 1]);
    const steps = tf.mul(tf.add(tf.range(0, side), 0.5), 1 / side);
    const [across, down] = [tf.reshape(steps, [side, 1]), tf.reshape(steps, [side, 1, 1])];
    const window = (from: number, along: tf.Tensor, shear: number, other: tf.Tensor): tf.Tensor =>
      tf.add(each(from), tf.add(tf.mul(along, tf.sub(each(from + 1), each(from))), tf.mul(other, each(shear))));
    const columns = neighbours(window(0, across, 11, down), width);
    const rows = neighbours(window(2, down, 12, across), height);
    const first = tf.reshape(tf.range(0, batch, 1, 'int32'), [batch, 1, 1, 1]);
    const all = tf.reshape(images, [batch * height * width, 3]);
    const pixel = (row: tf.Tensor, column: tf.Tensor): tf.Tensor => {
      const line = tf.add(tf.mul(first, tf.scalar(height, 'int32')), row);
      return tf.gather(all, tf.squeeze(tf.add(tf.mul(line, tf.scalar(width, 'int32')), column), [3]));
    };
    const mix = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor): tf.Tensor4D => tf.add(a, tf.mul(tf.sub(b, a), share));
    const line = (row: tf.Tensor): tf.Tensor4D =>
      mix(pixel(row, columns.lower), pixel(row, columns.upper), columns.share);
    const seen = mix(line(rows.lower), line(rows.upper), rows.share);

    const luma = tf.sum(tf.mul(seen, tf.tensor1d([0.299, 0.587, 0.114])), 3, true);
    const recoloured: tf.Tensor4D = tf.add(tf.mul(each(4), seen), tf.add(tf.mul(each(5), luma), each(6)));
    const coloured = tf.clipByValue(recoloured, 0, 255);
    const normal = tf.add(tf.mul(tf.gather(coloured, tf.tensor1d([...channels], 'int32'), 3), tf.tensor1d([...scale])), tf.tensor1d([...shift])); // prettier-ignore
    const [u, v] = [tf.range(0, side), tf.reshape(tf.range(0, side), [side, 1])];
    const isErased = tf.logicalAnd(
      tf.logicalAnd(tf.greaterEqual(u, squeeze(each(7))), tf.less(u, squeeze(each(9)))),
      tf.logicalAnd(tf.greaterEqual(v, squeeze(each(8))), tf.less(v, squeeze(each(10)))),
    );
    return tf.where(tf.expandDims(isErased, 3), tf.zerosLike(normal), normal) as tf.Tensor4D;
  });
}

const squeeze = (x: tf.Tensor4D): tf.Tensor3D => tf.squeeze(x, [3]);

/** The pixels of an axis around positions, mirrored at its ends, and the share of the upper. @param at from the first's edge */
function neighbours(at: tf.Tensor, size: number): Readonly<Record<'lower' | 'upper' | 'share', tf.Tensor>> {
  const position = tf.sub(at, 0.5);
  const lower = tf.floor(position);
  const mirrored = (i: tf.Tensor): tf.Tensor => {
    const beyond = tf.where(tf.greaterEqual(i, size), tf.sub(2 * size - 1, i), i);
    return tf.cast(tf.clipByValue(tf.where(tf.less(i, 0), tf.sub(-1, i), beyond), 0, size - 1), 'int32');
  };
  return { lower: mirrored(lower), upper: mirrored(tf.add(lower, 1)), share: tf.sub(position, lower) };
}
