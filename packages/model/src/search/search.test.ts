// Grids by hand; random points within their ranges, different, and the same by seed.
import { expect, test } from 'vitest';
import { gridPoints, randomPoints } from './search.ts';

test('a grid has every combination', () => {
  expect(gridPoints([{ name: 'a', values: ['1', '2'] }, { name: 'b', values: ['x', 'y'] }])).toEqual([
    { a: '1', b: 'x' }, { a: '1', b: 'y' }, { a: '2', b: 'x' }, { a: '2', b: 'y' },
  ]); // prettier-ignore
  expect(() => gridPoints([{ name: 'a', low: 1, high: 2 }])).toThrow('a: a range has no end of values');
});

test('random points are different, in range, half of them in each half of the logarithm, and follow from the seed', () => {
  const axes = [
    { name: 'rate', low: 1e-4, high: 1e-2 },
    { name: 'share', low: 0, high: 0.5 },
    { name: 'kind', values: ['p', 'q'] },
  ];
  const points = randomPoints(axes, 400, 5);
  expect(points).toHaveLength(400);
  expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(400);
  for (const { rate, share, kind } of points) {
    expect(Number(rate)).toBeGreaterThanOrEqual(1e-4);
    expect(Number(rate)).toBeLessThanOrEqual(1e-2);
    expect(Number(share)).toBeLessThanOrEqual(0.5);
    expect(['p', 'q']).toContain(kind);
  }
  // Of 400 fair draws, five standard deviations are 50.
  const below = points.filter(({ rate }) => Number(rate) < 1e-3).length;
  expect(Math.abs(below - 200)).toBeLessThan(50);
  expect(randomPoints(axes, 400, 5)).toEqual(points);
  expect(randomPoints(axes, 3, 6)).not.toEqual(points.slice(0, 3));
});

test('a small grid gives no more than it has', () => {
  expect(randomPoints([{ name: 'a', values: ['1', '2', '3'] }], 10, 1)).toHaveLength(3);
});
