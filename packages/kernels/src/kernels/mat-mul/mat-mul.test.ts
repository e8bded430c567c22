/** Matrix products with every transpose, on ones, primes and the model's dense layers, against float64. */
import { describe, expect, test } from 'vitest';
import { expectClose, random, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planMatMul } from './mat-mul.plan.ts';

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}
const cases: readonly Case[] = [
  { name: 'one', batch: 1, m: 1, k: 1, n: 1 },
  { name: 'primes', batch: 3, m: 7, k: 13, n: 5 },
  { name: 'past a tile', batch: 1, m: 67, k: 5, n: 131 },
  { name: 'head, first layer', batch: 1, m: 32, k: 2048, n: 32 },
  { name: 'ImageNet top', batch: 1, m: 2, k: 2048, n: 1001 },
];

const at = (v: Float32Array, i: number): number => v[i]!;

function reference({ batch, m, k, n }: Case, a: Float32Array, b: Float32Array, ta: boolean, tb: boolean): Float64Array {
  const c = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let l = 0; l < k; l++)
          c[(z * m + i) * n + j]! +=
            at(a, z * m * k + (ta ? l * m + i : i * k + l)) * at(b, z * k * n + (tb ? j * k + l : l * n + j));
  return c;
}

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('transposeA %s, transposeB %s', (transposeA, transposeB) => {
  // prettier-ignore
  test.each(cases)('$name', async (s) => {
    const a = random(s.batch * s.m * s.k, 1);
    const b = random(s.batch * s.k * s.n, 2);
    const aShape = transposeA ? [s.batch, s.k, s.m] : [s.batch, s.m, s.k];
    const bShape = transposeB ? [s.batch, s.n, s.k] : [s.batch, s.k, s.n];
    const { c = [] } = await runPlans([planMatMul(aShape, bShape, { transposeA, transposeB }, gpu.limits)], { a, b });
    expectClose(c, reference(s, a, b, transposeA, transposeB), sumBound(s.k));
  });
});

test('bias and ReLU', async () => {
  const s = cases[1]!;
  const [a, b, bias] = [random(s.m * s.k, 1), random(s.k * s.n, 2), random(s.n, 3)];
  const { c = [] } = await runPlans([planMatMul([s.m, s.k], [s.k, s.n], { bias: true, relu: true }, gpu.limits)], {
    a,
    b,
    bias,
  });
  const sum = reference({ ...s, batch: 1 }, a, b, false, false);
  expectClose(c, sum.map((v, i) => Math.max(0, v + bias[i % s.n]!)), sumBound(s.k + 1)); // prettier-ignore
});

test('shapes that do not agree are named', () => {
  expect(() => planMatMul([2, 3], [4, 5], {}, gpu.limits)).toThrow(
    'matMul: inner dimensions differ in [2, 3] x [4, 5]: 3 and 4',
  );
});
