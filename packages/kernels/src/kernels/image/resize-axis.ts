/** Where the rows (or columns) of a resized image lie in the original, worked out in float64 as tfjs-cpu does. */

export interface ResizeOptions {
  readonly method: 'bilinear' | 'nearest';
  /** The outermost pixels of both images lie on each other, and not the images' edges. */
  readonly alignCorners: boolean;
  /** Pixels lie at their middles. */
  readonly halfPixelCenters: boolean;
}

/** Between which of the original's rows one lies, and how far from the lower one. */
export interface Place {
  readonly lower: number;
  readonly upper: number;
  readonly distance: number;
}

/** The places of all rows of an image of `out` rows in one of `size`. */
export function placesOf(size: number, out: number, options: ResizeOptions): Place[] {
  const { method, alignCorners, halfPixelCenters } = options;
  const isAligned = alignCorners && out > 1;
  const ratio = isAligned ? (size - 1) / (out - 1) : size / out;
  const last = size - 1;
  return Array.from({ length: out }, (_, r) => {
    if (method === 'nearest') {
      const at = ratio * (halfPixelCenters ? r + 0.5 : r);
      const nearest = Math.max(0, Math.min(last, alignCorners ? Math.round(at) : Math.floor(at)));
      return { lower: nearest, upper: nearest, distance: 0 };
    }
    const at = halfPixelCenters ? ratio * (r + 0.5) - 0.5 : ratio * r;
    const lower = Math.max(0, Math.floor(at));
    return { lower, upper: Math.min(last, Math.ceil(at)), distance: at - lower };
  });
}

/** For each of the original's rows the first of those that it is mixed into, and the one after the last. */
export function spansOf(places: readonly Place[], size: number): [number, number][] {
  const spans = Array.from({ length: size }, (): [number, number] => [places.length, 0]);
  places.forEach(({ lower, upper }, r) => {
    for (const i of [lower, upper]) {
      const span = spans[i];
      if (!span) continue;
      span[0] = Math.min(span[0], r);
      span[1] = Math.max(span[1], r + 1);
    }
  });
  return spans.map(([first, end]) => (end === 0 ? [0, 0] : [first, end]));
}
