// What is kept of a run as a number that grows, over phases whose steps each begin with 0.
import { NOT_BEGUN } from '@thaw/model';
import { expect, test } from 'vitest';
import { stepsUntil } from './recorded-run.ts';

test('a later phase is further than any step of an earlier one', () => {
  const at = (phase: number | undefined, totalSteps: number): number => stepsUntil({ ...NOT_BEGUN, phase, totalSteps });
  const order = [stepsUntil(undefined), at(0, 1), at(0, 500), at(1, 0), at(1, 1), at(2, 0)];
  expect(order.every((value, i) => i === 0 || value > (order[i - 1] ?? NaN))).toBe(true);
  // A run of one phase has none.
  expect(at(undefined, 500)).toBe(at(0, 500));
});
