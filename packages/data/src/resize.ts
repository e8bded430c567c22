// The square an image becomes: shorter side resized to size * ratio, centre cropped.
//
// Resampling is a triangle filter, widened by the scale where the image shrinks (antialiased), pixel centres at
// half-integers: `bilinear` in Pillow and torchvision. Two passes, columns then rows, with one rounding at the end.

/** Sizes in pixels of the resized image, and the corner of the crop in it. */
export interface CropPlan {
  /** Of the resized image. */
  readonly width: number;
  /** Of the resized image. */
  readonly height: number;
  /** Column of the crop's corner. */
  readonly left: number;
  /** Row of the crop's corner. */
  readonly top: number;
}

/** Resize, then centre crop, as torchvision's Resize(size * ratio) and CenterCrop(size) have it. */
export function planCrop(height: number, width: number, size: number, ratio = 1): CropPlan {
  const shorter = Math.max(size, Math.round(size * ratio));
  const scaled = (side: number, other: number) =>
    side <= other ? shorter : Math.max(shorter, Math.floor((shorter * side) / other));
  const [newHeight, newWidth] = [scaled(height, width), scaled(width, height)];
  return {
    width: newWidth,
    height: newHeight,
    left: Math.floor((newWidth - size) / 2),
    top: Math.floor((newHeight - size) / 2),
  };
}

/** One output pixel per row: where its input pixels start, and their weights, which sum to 1. */
interface Filter {
  readonly taps: number;
  readonly starts: Int32Array;
  readonly weights: Float64Array;
}

/** The triangle filter for output pixels `from` to `from + count` of `output`, out of `input`. */
function triangle(input: number, output: number, from: number, count: number): Filter {
  const scale = input / output;
  const support = Math.max(scale, 1);
  const taps = Math.min(input, Math.ceil(support) * 2 + 1);
  const starts = new Int32Array(count);
  const weights = new Float64Array(count * taps);
  for (let o = 0; o < count; o++) {
    const centre = (from + o + 0.5) * scale;
    const start = Math.min(Math.max(0, Math.floor(centre - support + 0.5)), input - taps);
    starts[o] = start;
    let sum = 0;
    for (let t = 0; t < taps; t++) {
      const weight = Math.max(0, 1 - Math.abs(start + t + 0.5 - centre) / support);
      weights[o * taps + t] = weight;
      sum += weight;
    }
    for (let t = 0; t < taps; t++) weights[o * taps + t] = (weights[o * taps + t] ?? 0) / sum;
  }
  return { taps, starts, weights };
}

/**
 * Resizes and centre-crops.
 * @param rgb `height * width * 3` bytes
 * @returns `size * size * 3` bytes
 */
export function resizeAndCrop(rgb: Uint8Array, height: number, width: number, size: number, ratio = 1): Uint8Array {
  const plan = planCrop(height, width, size, ratio);
  const columns = triangle(width, plan.width, plan.left, size);
  const rows = triangle(height, plan.height, plan.top, size);
  // Only the rows that the crop needs: a long, thin image would fill the memory.
  const firstRow = rows.starts[0] ?? 0;
  const endRow = (rows.starts[size - 1] ?? 0) + rows.taps;
  const narrow = new Float64Array((endRow - firstRow) * size * 3);
  for (let y = firstRow; y < endRow; y++) {
    for (let x = 0; x < size; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let at = (y * width + (columns.starts[x] ?? 0)) * 3;
      for (let t = 0; t < columns.taps; t++, at += 3) {
        const weight = columns.weights[x * columns.taps + t] ?? 0;
        r += weight * (rgb[at] ?? 0);
        g += weight * (rgb[at + 1] ?? 0);
        b += weight * (rgb[at + 2] ?? 0);
      }
      const to = ((y - firstRow) * size + x) * 3;
      narrow[to] = r;
      narrow[to + 1] = g;
      narrow[to + 2] = b;
    }
  }
  const out = new Uint8Array(size * size * 3);
  const stride = size * 3;
  for (let y = 0; y < size; y++) {
    const start = ((rows.starts[y] ?? 0) - firstRow) * stride;
    for (let x = 0; x < stride; x++) {
      let sum = 0;
      for (let t = 0; t < rows.taps; t++) {
        sum += (rows.weights[y * rows.taps + t] ?? 0) * (narrow[start + t * stride + x] ?? 0);
      }
      out[y * stride + x] = Math.floor(sum + 0.5);
    }
  }
  return out;
}
