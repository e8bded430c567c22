// Principal components against a float64 power iteration with deflation, with more rows than columns and with fewer.
import { beforeAll, expect, test } from 'vitest';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { uniformNumbers } from '../weights/random.ts';
import { fitPca, project, throughProjection } from './pca.ts';
import { ClassicalError } from './types.ts';

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Axes and shares of the variance, in float64: each axis is found by powers of the covariance less those before it. */
function reference(rows: readonly (readonly number[])[], count: number): { axes: number[][]; shares: number[] } {
  const width = rows[0]!.length;
  const mean = Array.from({ length: width }, (_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length);
  const centred = rows.map((row) => row.map((x, c) => x - mean[c]!));
  const total = centred.reduce((sum, row) => sum + dot(row, row), 0);
  const axes: number[][] = [];
  const shares: number[] = [];
  for (let k = 0; k < count; k++) {
    let axis = Array.from({ length: width }, (_, c) => 1 + ((c * 7 + k) % 5));
    let share = 0;
    for (let round = 0; round < 5000; round++) {
      const along = centred.map((row) => dot(row, axis));
      let next = Array.from({ length: width }, (_, c) => centred.reduce((sum, row, i) => sum + row[c]! * along[i]!, 0));
      for (const before of axes) {
        const part = dot(next, before);
        next = next.map((x, c) => x - part * before[c]!);
      }
      const length = Math.sqrt(dot(next, next));
      share = length / total;
      axis = next.map((x) => x / length);
    }
    const largest = axis.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    axes.push(axis.map((x) => x * Math.sign(largest)));
    shares.push(share);
  }
  return { axes, shares };
}

describeOnBackends('principal components', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    [29, 7, 4],
    [7, 29, 4],
  ])('%d rows of %d columns', async (n, width, count) => {
    const uniform = uniformNumbers(11);
    // Columns of different size, so that the axes are well apart.
    const rows = Array.from({ length: n }, () => Array.from({ length: width }, (_, c) => Math.fround((uniform() - 0.3) * 3 ** -(c % 6)))); // prettier-ignore
    const features = { values: Float32Array.from(rows.flat()), labels: new Int32Array(n), width };
    const found = await fitPca(features, count);
    const { axes, shares } = reference(rows, count);
    for (let k = 0; k < count; k++) {
      // Products of up to 29 terms of at most 1 are off by 29 * 2^-24 = 2e-6; an axis by that over the gap of the
      // eigenvalues, which is above 0.02 here.
      expect(found.explained[k]).toBeCloseTo(shares[k]!, 5);
      for (let c = 0; c < width; c++) expect(found.components[k * width + c]).toBeCloseTo(axes[k]![c]!, 3);
    }
    const projected = await project(found, features.values);
    const mean = Array.from({ length: width }, (_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / n);
    rows.forEach((row, i) => {
      for (let k = 0; k < count; k++)
        expect(projected[i * count + k]).toBeCloseTo(dot(row.map((x, c) => x - mean[c]!), [...found.components.subarray(k * width, (k + 1) * width)]), 5); // prettier-ignore
    });
  });

  test('a linear classifier of the components is one of the features', async () => {
    const uniform = uniformNumbers(3);
    const [n, width, outputs, classes] = [11, 6, 3, 2];
    const values = Float32Array.from({ length: n * width }, uniform);
    const projection = await fitPca({ values, labels: new Int32Array(n), width }, outputs);
    const linear = {
      kernel: Float32Array.from({ length: outputs * classes }, uniform),
      bias: Float32Array.of(0.5, -1),
    };
    const folded = throughProjection(projection, linear);
    const projected = await project(projection, values);
    for (let i = 0; i < n; i++)
      for (let c = 0; c < classes; c++) {
        let wanted = linear.bias[c]!;
        for (let k = 0; k < outputs; k++) wanted += projected[i * outputs + k]! * linear.kernel[k * classes + c]!;
        let got = folded.bias[c]!;
        for (let j = 0; j < width; j++) got += values[i * width + j]! * folded.kernel[j * classes + c]!;
        expect(got).toBeCloseTo(wanted, 5);
      }
  });

  test('more components than there are is refused', async () => {
    const features = { values: new Float32Array(12), labels: new Int32Array(4), width: 3 };
    await expect(fitPca(features, 4)).rejects.toThrow(ClassicalError);
    await expect(fitPca(features, 4)).rejects.toThrow('4 images of 3 features have 3 principal components, not 4.');
  });
});
