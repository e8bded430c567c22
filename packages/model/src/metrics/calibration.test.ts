// Hand-worked, 5 bins: 0.3 wrong | 0.5 right, 0.6 wrong | 0.9 right, 1 right, 0.95 wrong.
import { expect, test } from 'vitest';
import { calibration } from './calibration.ts';

const { bins, expectedError } = calibration([0.3, 0.5, 0.6, 0.9, 1, 0.95], [false, true, false, true, true, false], 5);

test('bins are open below and closed above: 0.6 is in (0.4, 0.6]', () => {
  expect(bins.map(({ count }) => count)).toEqual([0, 1, 2, 0, 3]);
  expect(bins.map(({ from }) => from)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
  expect(bins[2]).toMatchObject({ to: 0.6, accuracy: 0.5 });
  expect(bins[2]!.confidence).toBeCloseTo(0.55, 15);
  expect(bins[4]!.confidence).toBeCloseTo(0.95, 15);
  expect(bins[4]!.accuracy).toBeCloseTo(2 / 3, 15);
  expect(bins[0]).toEqual({ from: 0, to: 0.2, count: 0, confidence: 0, accuracy: 0 });
});

test('the expected error is the mean distance: (0.3 + 2 * 0.05 + 3 * (0.95 - 2/3)) / 6', () =>
  expect(expectedError).toBeCloseTo((0.3 + 0.1 + 0.85) / 6, 15));

test('perfect confidence that is right has no error, that is wrong an error of 1', () => {
  expect(calibration([1, 1], [true, true]).expectedError).toBe(0);
  expect(calibration([1, 1], [false, false]).expectedError).toBe(1);
  // The float32 next to 1.
  expect(calibration([1 + 2 ** -23], [true])).toMatchObject({ expectedError: 0 });
});

test('without images there is no error; what is no probability is named', () => {
  expect(calibration([], [])).toMatchObject({ expectedError: 0 });
  expect(() => calibration([0.5, 1.5], [true, true])).toThrow('the confidence of image 1 is 1.5, outside [0, 1].');
  expect(() => calibration([NaN], [true])).toThrow('is NaN');
  expect(() => calibration([0.5], [])).toThrow('1 confidences for 0 hits');
});
