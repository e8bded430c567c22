// Logistic regression: the optimum's own equations, checked in float64; and L-BFGS on functions whose minimum is known.
import { beforeAll, describe, expect, test } from 'vitest';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { uniformNumbers } from '../weights/random.ts';
import { lbfgs } from './lbfgs.ts';
import { fitLogistic } from './logistic.ts';

describe('L-BFGS', () => {
  test('finds the minimum of a quadratic', async () => {
    // (x - 3)^2 + 100 (y + 1)^2
    const { x, converged } = await lbfgs(
      async ([a = 0, b = 0]) => ({
        value: (a - 3) ** 2 + 100 * (b + 1) ** 2,
        gradient: Float64Array.of(2 * (a - 3), 200 * (b + 1)),
      }),
      Float64Array.of(0, 0),
      { tolerance: 1e-9 },
    );
    expect(converged).toBe(true);
    expect(x[0]).toBeCloseTo(3, 8);
    expect(x[1]).toBeCloseTo(-1, 8);
  });

  test("follows Rosenbrock's valley to (1, 1)", async () => {
    const { x } = await lbfgs(
      async ([a = 0, b = 0]) => ({
        value: (1 - a) ** 2 + 100 * (b - a * a) ** 2,
        gradient: Float64Array.of(-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)),
      }),
      Float64Array.of(-1.2, 1),
      { tolerance: 1e-8 },
    );
    expect(x[0]).toBeCloseTo(1, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });
});

describeOnBackends('logistic regression', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  test('two points on a line: the weight solves w = sigmoid(-2 w) / (2 l2)', async () => {
    // z = -1 and +1, classes 0 and 1. By symmetry W = [-w, w], b = 0, and logits differ by 2 w z: the function is
    // log(1 + exp(-2 w)) + 2 l2 w^2, least where 2 sigmoid(-2 w) = 4 l2 w.
    const l2 = 0.1;
    let w = 1;
    for (let i = 0; i < 200; i++) w -= 0.1 * (4 * l2 * w - 2 / (1 + Math.exp(2 * w)));
    const features = { values: Float32Array.of(10, 14), labels: Int32Array.of(0, 1), width: 1 };
    const { kernel, bias, value } = await fitLogistic(features, { classes: 2, l2, tolerance: 1e-6 });
    // Mean 12 and deviation 2 are folded in.
    expect(kernel[1]).toBeCloseTo(w / 2, 4);
    expect(kernel[0]).toBeCloseTo(-w / 2, 4);
    expect(bias[1]).toBeCloseTo(-6 * w, 3);
    expect(value).toBeCloseTo(Math.log(1 + Math.exp(-2 * w)) + 2 * l2 * w * w, 5);
  });

  test('the gradient is zero at what it finds, in float64', async () => {
    const uniform = uniformNumbers(5);
    const [n, width, classes] = [37, 5, 3];
    const values = Float32Array.from({ length: n * width }, (_, i) => (i % width === 2 ? 7 : 3 * uniform() + (i % 4)));
    const labels = Int32Array.from({ length: n }, () => Math.floor(3 * uniform()));
    const l2 = 1 / (2 * n);
    const { kernel, bias, converged } = await fitLogistic({ values, labels, width }, { classes, tolerance: 1e-5 });
    expect(converged).toBe(true);
    const deviation = Array.from({ length: width }, (_, c) => {
      const column = Array.from({ length: n }, (__, i) => values[i * width + c]!);
      const mean = column.reduce((a, b) => a + b) / n;
      return Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    });
    const slopes = new Float64Array(width * classes);
    for (let i = 0; i < n; i++) {
      const logits = Array.from({ length: classes }, (_, c) => bias[c]! + Array.from({ length: width }, (__, j) => values[i * width + j]! * kernel[j * classes + c]!).reduce((a, b) => a + b)); // prettier-ignore
      const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
      for (let j = 0; j < width; j++)
        for (let c = 0; c < classes; c++)
          slopes[j * classes + c]! += (values[i * width + j]! * (Math.exp(logits[c]!) / sum - (labels[i] === c ? 1 : 0))) / n; // prettier-ignore
    }
    for (let j = 0; j < width; j++)
      for (let c = 0; c < classes; c++) {
        const at = j * classes + c;
        // A column that never changes has no weight; else the penalty is on W = deviation * kernel.
        if (deviation[j] === 0) expect(kernel[at]).toBe(0);
        // Float32 of the fit, values up to 10: rounding of 37 products adds up to less than the tolerance of 1e-5 times 10.
        else expect(Math.abs(slopes[at]! + 2 * l2 * kernel[at]! * deviation[j]! ** 2), `slope ${j},${c}`).toBeLessThan(2e-4); // prettier-ignore
      }
  });
});
