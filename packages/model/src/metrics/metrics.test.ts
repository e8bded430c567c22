// Hand-worked: labels 0 0 0 1 1 2, predictions 0 0 1 1 2 1.
import { expect, test } from 'vitest';
import { accuracy, confusionMatrix, macroF1, perClass } from './metrics.ts';

const confusion = confusionMatrix([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 1], 4);

test('confusion matrix: rows are the truth', () => {
  expect(confusion).toEqual([[2, 1, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]); // prettier-ignore
});

test('accuracy is 3 of 6', () => expect(accuracy(confusion)).toBe(0.5));

test('precision, recall and F1 of each class', () => {
  const [a, b, c, none] = perClass(confusion);
  expect(a).toEqual({ precision: 1, recall: 2 / 3, f1: 0.8, support: 3 });
  expect(b).toEqual({ precision: 1 / 3, recall: 1 / 2, f1: 0.4, support: 2 });
  expect(c).toEqual({ precision: 0, recall: 0, f1: 0, support: 1 });
  expect(none).toEqual({ precision: 0, recall: 0, f1: 0, support: 0 });
});

test('macro-F1 is the mean over all four classes: (0.8 + 0.4) / 4', () =>
  expect(macroF1(confusion)).toBeCloseTo(0.3, 15));

test('a label outside the classes is named', () => {
  expect(() => confusionMatrix([0, 7], [0, 1], 3)).toThrow('example 1 is of class 7, predicted 1, of 3');
});
