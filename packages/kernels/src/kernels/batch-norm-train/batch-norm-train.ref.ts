/** Batch-norm on the batch's statistics and its gradient, by the definition, in float64. */
export interface BatchNormInputs {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly relu: boolean;
  readonly x: ArrayLike<number>;
  readonly gamma: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  readonly residual: ArrayLike<number> | undefined;
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;

export function statisticsReference(
  x: ArrayLike<number>,
  rows: number,
  channels: number,
): { mean: Float64Array; variance: Float64Array } {
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += at(x, r * channels + c);
    mean[c] = sum / rows;
    let square = 0;
    for (let r = 0; r < rows; r++) square += (at(x, r * channels + c) - sum / rows) ** 2;
    variance[c] = square / rows;
  }
  return { mean, variance };
}

export function batchNormReference(s: BatchNormInputs): {
  y: Float64Array;
  mean: Float64Array;
  variance: Float64Array;
} {
  const { mean, variance } = statisticsReference(s.x, s.rows, s.channels);
  const y = Float64Array.from({ length: s.rows * s.channels }, (_, i) => {
    const c = i % s.channels;
    const xhat = (at(s.x, i) - at(mean, c)) / Math.sqrt(at(variance, c) + s.epsilon);
    const v = at(s.gamma, c) * xhat + at(s.beta, c) + (s.residual ? at(s.residual, i) : 0);
    return s.relu ? Math.max(0, v) : v;
  });
  return { y, mean, variance };
}

/** The gradient for the incoming dy; `y` decides the ReLU's mask. */
export function batchNormGradReference(
  s: BatchNormInputs,
  dy: ArrayLike<number>,
  y: ArrayLike<number>,
): { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array; dresidual: Float64Array } {
  const { mean, variance } = statisticsReference(s.x, s.rows, s.channels);
  const size = s.rows * s.channels;
  const dresidual = Float64Array.from({ length: size }, (_, i) => (!s.relu || at(y, i) > 0 ? at(dy, i) : 0));
  const dgamma = new Float64Array(s.channels);
  const dbeta = new Float64Array(s.channels);
  const xhat = (i: number): number => {
    const c = i % s.channels;
    return (at(s.x, i) - at(mean, c)) / Math.sqrt(at(variance, c) + s.epsilon);
  };
  for (let i = 0; i < size; i++) {
    const c = i % s.channels;
    dgamma[c] = at(dgamma, c) + at(dresidual, i) * xhat(i);
    dbeta[c] = at(dbeta, c) + at(dresidual, i);
  }
  const dx = Float64Array.from({ length: size }, (_, i) => {
    const c = i % s.channels;
    const scale = at(s.gamma, c) / Math.sqrt(at(variance, c) + s.epsilon);
    return scale * (at(dresidual, i) - at(dbeta, c) / s.rows - (xhat(i) * at(dgamma, c)) / s.rows);
  });
  return { dx, dgamma, dbeta, dresidual };
}
