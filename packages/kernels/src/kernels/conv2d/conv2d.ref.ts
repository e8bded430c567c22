/** The three directions of a convolution by definition, in float64. Slow on purpose. */
import type { Conv2dShape } from './shape.ts';

/** Visits every product x[xAt] * w[wAt] -> y[yAt] of the convolution. */
function visit(s: Conv2dShape, each: (xAt: number, wAt: number, yAt: number) => void): void {
  for (let n = 0; n < s.batch; n++)
    for (let oy = 0; oy < s.outH; oy++)
      for (let ox = 0; ox < s.outW; ox++)
        for (let ky = 0; ky < s.kH; ky++)
          for (let kx = 0; kx < s.kW; kx++) {
            const iy = oy * s.strideH + ky * s.dilationH - s.padTop;
            const ix = ox * s.strideW + kx * s.dilationW - s.padLeft;
            if (iy < 0 || ix < 0 || iy >= s.inH || ix >= s.inW) continue;
            const x0 = ((n * s.inH + iy) * s.inW + ix) * s.inC;
            const w0 = (ky * s.kW + kx) * s.inC * s.outC;
            const y0 = ((n * s.outH + oy) * s.outW + ox) * s.outC;
            for (let ci = 0; ci < s.inC; ci++)
              for (let co = 0; co < s.outC; co++) each(x0 + ci, w0 + ci * s.outC + co, y0 + co);
          }
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? 0;

export function conv2dReference(s: Conv2dShape, x: Float32Array, w: Float32Array): Float64Array {
  const y = new Float64Array(s.batch * s.outH * s.outW * s.outC);
  visit(s, (xAt, wAt, yAt) => (y[yAt] = at(y, yAt) + at(x, xAt) * at(w, wAt)));
  return y;
}

export function conv2dBackwardInputReference(s: Conv2dShape, dy: Float32Array, w: Float32Array): Float64Array {
  const dx = new Float64Array(s.batch * s.inH * s.inW * s.inC);
  visit(s, (xAt, wAt, yAt) => (dx[xAt] = at(dx, xAt) + at(dy, yAt) * at(w, wAt)));
  return dx;
}

export function conv2dBackwardFilterReference(s: Conv2dShape, x: Float32Array, dy: Float32Array): Float64Array {
  const dw = new Float64Array(s.kH * s.kW * s.inC * s.outC);
  visit(s, (xAt, wAt, yAt) => (dw[wAt] = at(dw, wAt) + at(x, xAt) * at(dy, yAt)));
  return dw;
}
