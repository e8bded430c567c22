/** Views of images in float64, from the definition: pixel by pixel, channel by channel. */
import { VIEW_LENGTH, type ImageViewsSettings } from './image-views.plan.ts';

const LUMA = [0.299, 0.587, 0.114] as const;

/** @param shape [batch, height, width, 3]; @param views [batch, VIEW_LENGTH]; @returns [batch, side, side, 3] */
export function imageViewsReference(
  images: ArrayLike<number>,
  shape: readonly [number, number, number, 3],
  views: ArrayLike<number>,
  { side, channels, scale, shift }: ImageViewsSettings,
): number[] {
  const [batch, height, width] = shape;
  // One mirror image on each side; beyond it, its last pixel.
  const mirrored = (i: number, size: number): number => {
    const once = i < 0 ? -1 - i : i >= size ? 2 * size - 1 - i : i;
    return Math.min(Math.max(once, 0), size - 1);
  };
  const out: number[] = [];
  for (let n = 0; n < batch; n++) {
    const view = Array.from({ length: VIEW_LENGTH }, (_, i) => views[n * VIEW_LENGTH + i] ?? NaN);
    const [x0 = 0, x1 = 0, y0 = 0, y1 = 0, gain = 0, grey = 0, offset = 0] = view;
    const [left = 0, top = 0, right = 0, bottom = 0, shearX = 0, shearY = 0] = view.slice(7);
    const pixel = (row: number, column: number, c: number): number =>
      images[((n * height + mirrored(row, height)) * width + mirrored(column, width)) * 3 + c] ?? NaN;
    for (let v = 0; v < side; v++)
      for (let u = 0; u < side; u++) {
        const x = x0 + ((u + 0.5) * (x1 - x0)) / side + ((v + 0.5) * shearX) / side - 0.5;
        const y = y0 + ((v + 0.5) * (y1 - y0)) / side + ((u + 0.5) * shearY) / side - 0.5;
        const [column, row] = [Math.floor(x), Math.floor(y)];
        const [across, down] = [x - column, y - row];
        const s = [0, 1, 2].map(
          (c) =>
            (1 - down) * ((1 - across) * pixel(row, column, c) + across * pixel(row, column + 1, c)) +
            down * ((1 - across) * pixel(row + 1, column, c) + across * pixel(row + 1, column + 1, c)),
        );
        const luma = LUMA.reduce((sum, weight, c) => sum + weight * (s[c] ?? NaN), 0);
        const isErased = u >= left && u < right && v >= top && v < bottom;
        channels.forEach((channel, c) => {
          const p = Math.min(Math.max(gain * (s[channel] ?? NaN) + grey * luma + offset, 0), 255);
          out.push(isErased ? 0 : (scale[c] ?? NaN) * p + (shift[c] ?? NaN));
        });
      }
  }
  return out;
}
