// The rows of the range test.
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { rateChart, shortRate } from './rates.ts';

test('two digits', () => {
  expect([0.0012345, 3.51e-6, 0.1].map(shortRate)).toEqual(['0.0012', '0.0000035', '0.1']);
});

test('a row for every few steps, bars by the loss, the suggested rate marked', () => {
  const points = Array.from({ length: 40 }, (_, i) => ({
    rate: 10 ** (i / 10 - 4),
    loss: 1,
    smoothed: i === 20 ? 1 : 2,
  }));
  const [steepest, lowest] = [points[11]!.rate, points[20]!.rate];
  const text = rateChart({ points, steepest, lowest, diverged: false }, { colors: pc.createColors(false), width: 120 });
  const rows = text.split('\n').slice(1);
  // Every second of forty, and the eleventh besides.
  expect(rows.filter((row) => row.includes('▇'))).toHaveLength(21);
  expect(rows.find((row) => row.includes('falls the fastest'))).toContain('1.3e-3');
  expect(rows.find((row) => row.includes('lowest'))).toMatch(/1\.0e-2\s+1\.000\s+▇{20}\s/);
  expect(rows.find((row) => row.includes('1.0e-4'))).toMatch(/▇{40}$/);
});
