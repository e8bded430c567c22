/** A dense layer and its gradients in float64, by definition. */
import type { DenseShape } from './dense.plan.ts';

type Numbers = ArrayLike<number>;
const at = (values: Numbers, i: number): number => values[i] ?? NaN;

export function denseReference({ rows, inputs, outputs, relu }: DenseShape, x: Numbers, w: Numbers, bias: Numbers) {
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outputs; o++) {
      let sum = at(bias, o);
      for (let i = 0; i < inputs; i++) sum += at(x, n * inputs + i) * at(w, i * outputs + o);
      y[n * outputs + o] = relu ? Math.max(0, sum) : sum;
    }
  return y;
}

/** @param y the layer's own output, which decides the ReLU's mask */
export function denseGradReference(s: DenseShape, x: Numbers, w: Numbers, y: Numbers, dy: Numbers) {
  const { rows, inputs, outputs, relu } = s;
  const dx = new Float64Array(rows * inputs);
  const dw = new Float64Array(inputs * outputs);
  const dbias = new Float64Array(outputs);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outputs; o++) {
      const dz = relu && at(y, n * outputs + o) <= 0 ? 0 : at(dy, n * outputs + o);
      dbias[o] = at(dbias, o) + dz;
      for (let i = 0; i < inputs; i++) {
        dx[n * inputs + i] = at(dx, n * inputs + i) + dz * at(w, i * outputs + o);
        dw[i * outputs + o] = at(dw, i * outputs + o) + dz * at(x, n * inputs + i);
      }
    }
  return { dx, dw, dbias };
}
