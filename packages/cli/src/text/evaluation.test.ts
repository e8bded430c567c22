// What is told of a training and its evaluation fits the terminal.
import type { EpochRecord } from '@thaw/model';
import { describe, expect, test } from 'vitest';
import pc from 'picocolors';
import { evaluationText } from './evaluation.ts';
import { historyTable } from './history.ts';

const classes = ['ants', 'bees', 'a wasp of a very long name indeed'];
const score = { precision: 0.5, recall: 0.25, f1: 1 / 3, support: 12_345 };
const evaluation = { accuracy: 0.5, macroF1: 1 / 3, loss: 0.7, labels: new Int32Array(9), confusion: [[1, 2, 0], [0, 3, 0], [0, 0, 3]], perClass: [score, score, score] }; // prettier-ignore
const record = { epoch: 1, loss: 0.5, accuracy: 0.75, validationLoss: 0.6, validationAccuracy: 0.7, validationMacroF1: 0.7, learningRate: 1, seconds: 1, imagesPerSecond: 1, dataSeconds: 0 } satisfies EpochRecord; // prettier-ignore
const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe.each([40, 60, 80, 120])('%i columns', (width) => {
  test('an evaluation', () => {
    const text = evaluationText(evaluation, classes, {
      width,
      colors: pc.createColors(false),
      title: 'validation images',
    });
    expect(longest(text)).toBeLessThanOrEqual(width);
    expect(text).toMatch(/ants +0\.500 +0\.250 +0\.333 +12,345/);
    expect(text).toContain(width >= 80 ? 'precision' : 'prec.');
  });
  test('the curves of a training', () => {
    const text = historyTable([record, record], 1, width);
    expect(longest(text)).toBeLessThanOrEqual(width);
    expect(text).toContain(width >= 80 ? 'validation accuracy' : 'val. accuracy');
    expect(text).toMatch(/accuracy .*70\.0 %/);
  });
});
