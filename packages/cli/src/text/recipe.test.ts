import { expect, test } from 'vitest';
import { PRESETS, TRAIN_DEFAULTS } from '../options/presets.ts';
import { optimizerText, recipeRows } from './recipe.ts';

test('a plain run has nothing to add', () => {
  expect(recipeRows(TRAIN_DEFAULTS)).toEqual([]);
  expect(optimizerText(TRAIN_DEFAULTS)).toBe('adam, learning rate 0.001');
});

test('the preset best, in words', () => {
  const settings = { ...TRAIN_DEFAULTS, ...PRESETS.best, learningRate: 0.04, imageSize: 96 };
  expect(optimizerText({ ...settings, optimizer: 'sgd', nesterov: true })).toBe(
    'sgd with Nesterov momentum 0.9, learning rate 0.04',
  );
  expect(recipeRows(settings)).toEqual([
    ['augment', 'crop, flip, in every epoch anew, on the device, at 96 x 96'],
    ['schedule', 'cosine, rising over the first 10 % of the steps'],
    ['rates', 'head 0.04, conv5 0.02, conv4 0.01, conv3 0.005, conv2 0.0025, conv1 0.00125'],
    [
      'besides',
      'label smoothing 0.1, weight decay 0.05 of kernels alone, averaged weights (0.997), batch-norm momentum 0.9',
    ],
  ]);
});

test('only stages that train have rates; features of a frozen trunk are not kept', () => {
  const rows = (changes: object): unknown => recipeRows({ ...TRAIN_DEFAULTS, ...changes });
  expect(rows({ rateDecay: 0.1, thaw: 'conv5' })).toEqual([['rates', 'head 0.001, conv5 0.0001']]);
  expect(rows({ augment: 'erase', imageSize: 64 })).toEqual([
    [
      'augment',
      'erase, in every epoch anew, on the device, at 64 x 64; the trunk runs anew in every epoch, as its features cannot be kept',
    ],
  ]);
  expect(rows({ schedule: 'one-cycle', patience: 2 })).toEqual([
    ['schedule', 'one-cycle, rising over the first 30 % of the steps, ending after 2 epochs without a better one'],
  ]);
});
