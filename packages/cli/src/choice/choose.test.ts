// The choice as a table: facts in, settings out, and the words beside them.
import { describe, expect, test } from 'vitest';
import type { SomeSettings } from '../options/settings.ts';
import { settled } from './choice.ts';
import { budgetSeconds, choose, type Facts } from './choose.ts';
import { choicesText } from './decide.ts';
import type { DataFacts, DeviceFacts } from './facts.ts';
import { useful } from './size.ts';

const BINDING = 2 ** 27;
const SOFTWARE: DeviceFacts = { name: 'llvmpipe', isSoftware: true, canThaw: true, pixelsPerSecond: 90_000, maxTensorBytes: BINDING }; // prettier-ignore
const GPU: DeviceFacts = { name: 'a GPU', isSoftware: false, canThaw: true, pixelsPerSecond: 1e8, maxTensorBytes: 2 ** 31 }; // prettier-ignore
const NONE: DataFacts['kept'] = { train: new Set(), validation: new Set(), test: new Set() };
/** Ants and bees. */
const SMALL: DataFacts = {
  train: 244,
  validation: 153,
  isHeldOut: false,
  test: 0,
  perClass: [123, 121],
  side: 375,
  kept: NONE,
};
const CIFAR: DataFacts = { train: 42_500, validation: 7500, isHeldOut: true, test: 10_000, perClass: new Array<number>(10).fill(4250), side: 32, kept: NONE }; // prettier-ignore

const chosen = (given: SomeSettings, facts: Partial<Facts> = {}): SomeSettings =>
  settled(given, choose(given, { data: SMALL, device: SOFTWARE, seconds: 1200, isThawed: false, ...facts }));

describe('the image size, and how many images', () => {
  // Three quarters of 1200 s are 900 s: 81e6 pixels at 90,000 a second. 397 images of 224 x 224 are 19.9e6.
  test.each<[string, Partial<Facts>, SomeSettings]>([
    ['few images', {}, { imageSize: 224 }],
    // 0.75 x 120 s: 8.1e6 pixels; of 128 x 128 they are 6.5e6, of 160 x 160 10.2e6.
    ['few images in two minutes', { seconds: 120 }, { imageSize: 128 }],
    // Nothing fits; the least is taken.
    ['no time at all', { seconds: 0 }, { imageSize: 32, limitTrain: 200 }],
    // 3000 images of 128 x 128, the most that are of use, are 49.2e6 pixels. 81e6 / 16384 - 2000 = 2943.
    ['CIFAR-10 without a GPU', { data: CIFAR }, { imageSize: 128, limitTrain: 2900, limitTest: 2000 }],
    // All 60,000 images of 128 x 128 are 9.8e8 pixels: ten seconds.
    ['CIFAR-10 on a GPU', { data: CIFAR, device: GPU }, { imageSize: 128 }],
    ['a device that was not measured', { device: { ...SOFTWARE, pixelsPerSecond: undefined } }, { imageSize: 224 }],
    ['images of unknown size', { data: { ...SMALL, side: null } }, { imageSize: 224 }],
    ['tiny images', { data: { ...SMALL, side: 20 } }, { imageSize: 64 }],
  ])('%s', (_, facts, want) => {
    const { imageSize, limitTrain, limitTest } = chosen({}, facts);
    expect({ imageSize, limitTrain, limitTest }).toEqual({ limitTrain: undefined, limitTest: undefined, ...want });
  });

  test('a size that was given stays, and the number of images follows it', () => {
    // 81e6 / 128^2 - 2000 = 2943
    expect(chosen({ imageSize: 128 }, { data: CIFAR })).toMatchObject({ imageSize: 128, limitTrain: 2900 });
    expect(chosen({ imageSize: 32, limitTest: 500 }, { data: CIFAR })).toMatchObject({ imageSize: 32, limitTest: 500 });
  });

  test('thawed layers run in every epoch, forward and backward', () => {
    // Ten epochs of 3 x 244 and 153 images: 8850 passes; 81e6 / 8850 = 96^2 at most.
    expect(chosen({ thaw: 'conv5' }, { isThawed: true })).toMatchObject({ imageSize: 64 });
    expect(chosen({ thaw: 'conv5', epochs: 2 }, { isThawed: true })).toMatchObject({ imageSize: 192 });
  });

  test('features that are kept from an earlier run take no time', () => {
    // Of all 60,000 images the features at 96 x 96 are there: no time at all, where 128 x 128 take 900 s for 5000 of them.
    const at = (...sizes: number[]) => new Set(sizes);
    const all = { ...CIFAR, kept: { train: at(96), validation: at(96), test: at(96) } };
    const { limitTrain, limitTest, imageSize } = chosen({}, { data: all, seconds: 300 });
    expect([imageSize, limitTrain, limitTest]).toEqual([96, undefined, undefined]);
    const [size] = choose({}, { data: all, device: SOFTWARE, seconds: 300, isThawed: false }).filter(({ settings }) => settings.imageSize); // prettier-ignore
    expect(size?.reason).toContain('features of 60,000 images are kept from an earlier run');
    // A larger size that fits as it is goes before: 128 x 128 in 1200 s.
    expect(chosen({}, { data: all })).toMatchObject({ imageSize: 128, limitTrain: 2900 });
    // 225 s are 20.2e6 pixels. Without those of the test images: 2000 of them are 18.4e6 at 96 x 96.
    const some = chosen({}, { data: { ...CIFAR, kept: { ...all.kept, test: at() } }, seconds: 300 });
    expect([some.imageSize, some.limitTrain, some.limitTest]).toEqual([96, undefined, 2000]);
    // Without those of the training images 3000 are too many; at 64 x 64 20.2e6 / 4096 - 2000 = 2943 are not.
    expect(chosen({}, { data: { ...CIFAR, kept: { ...all.kept, train: at() } }, seconds: 300 })).toMatchObject({ imageSize: 64, limitTrain: 2900, limitTest: 2000 }); // prettier-ignore
    // Where the trunk trains, none of it helps.
    expect(chosen({ thaw: 'conv5', epochs: 1 }, { data: all, seconds: 300, isThawed: true }).imageSize).toBe(chosen({ thaw: 'conv5', epochs: 1 }, { data: CIFAR, seconds: 300, isThawed: true }).imageSize); // prettier-ignore
  });

  test.each([[8, 32], [32, 128], [48, 192], [56, 224], [375, 224], [null, 224]])('of %s pixels %i are of use', (side, want) => {
    expect(useful(side)).toBe(want);
  }); // prettier-ignore
});

test.each<[string, Partial<DataFacts>, Partial<DeviceFacts>, SomeSettings]>([
  ['few images', {}, {}, { batchSize: 32, classWeights: 'none', l2: 0.002, epochs: 100, learningRate: 1e-3 }],
  // 12,000 in batches of 128 are 94 steps: 22 epochs of them are 2000.
  ['many', { train: 12_000, perClass: [6000, 6000] }, GPU, { batchSize: 128, l2: 4.2e-5, epochs: 22 }],
  ['very many', { train: 100_000, perClass: [5e4, 5e4] }, GPU, { batchSize: 128, epochs: 10 }],
  ['uneven classes', { perClass: [150, 94] }, {}, { classWeights: 'balanced' }],
  ['even enough', { perClass: [146, 98] }, {}, { classWeights: 'none' }],
  // 224^2 / 4 x 64 x 4 bytes are 3.2e6: ten fit into 2^25.
  ['a device with small bindings', {}, { maxTensorBytes: 2 ** 25 }, { imageSize: 224, batchSize: 8 }],
])('%s', (_, data, device, want) => {
  expect(
    chosen({ method: 'frozen' }, { data: { ...SMALL, ...data }, device: { ...SOFTWARE, ...device } }),
  ).toMatchObject(want);
});

test('what thaws takes small steps, and keeps the statistics where images are few', () => {
  const given = { thaw: 'conv5', imageSize: 64 };
  const want = { learningRate: 1e-4, schedule: 'cosine', augment: 'light', batchNorm: 'frozen', epochs: 10, patience: 5 }; // prettier-ignore
  expect(chosen(given, { isThawed: true })).toMatchObject(want);
  expect(chosen(given, { isThawed: true, data: CIFAR, device: GPU })).toMatchObject({ ...want, batchNorm: 'keras' });
});

describe('the method', () => {
  const GIVEN = { imageSize: 128 };
  test.each<[string, SomeSettings, Partial<Facts>, SomeSettings]>([
    ['without a GPU', GIVEN, {}, { method: 'frozen', augment: 'none' }],
    ['on a backend without gradients', GIVEN, { device: { ...GPU, canThaw: false } }, { method: 'frozen' }],
    // 50,000 images ten times forward and backward: 1.6e6 passes of 128 x 128 are 2.6e10 pixels; 900 s have 9e10.
    ['on a GPU', {}, { device: GPU, data: CIFAR }, { method: 'fine-tune', thaw: 'conv5', epochs: 10, headEpochs: 10, learningRate: 2e-4, rateDecay: 0.5, batchNorm: 'keras', augment: 'light' }],
    ['on a GPU with a tenth of the time', {}, { device: GPU, data: CIFAR, seconds: 120 }, { method: 'frozen', imageSize: 128 }],
    ['asked for, few images', { method: 'gradual' }, {}, { thaw: 'conv5', headEpochs: 100, batchNorm: 'frozen', l2: 0.002 }],
    ['asked for, with what thaws', { method: 'fine-tune', thaw: 'conv4' }, { isThawed: true }, { thaw: 'conv4' }],
    ['what thaws was given', { thaw: 'conv4' }, { isThawed: true, device: GPU }, { learningRate: 1e-4 }],
    ['nothing is to thaw', { thaw: 'none' }, { device: GPU }, { learningRate: 1e-3 }],
  ])('%s', (_, given, facts, want) => {
    const all = chosen(given, facts);
    expect(all).toMatchObject(want);
    // What thaws was given: then all of it trains from the first step.
    if (given.thaw !== undefined && given.method === undefined) expect(all).not.toHaveProperty('method');
  }); // prettier-ignore
});

test('what was given is never chosen, and a line without anything open is left out', () => {
  const given: SomeSettings = { imageSize: 64, batchSize: 7, epochs: 3, learningRate: 0.5, classWeights: 'balanced', thaw: 'none' }; // prettier-ignore
  const choices = choose(given, { data: SMALL, device: SOFTWARE, seconds: 1200, isThawed: false });
  for (const { settings } of choices) for (const name of Object.keys(settings)) expect(Object.keys(given)).not.toContain(name); // prettier-ignore
  expect(settled(given, choices)).toMatchObject(given);
  expect(choices.every(({ settings }) => Object.keys(settings).length > 0)).toBe(true);
});

test('each choice is a line with its flags and its reason', () => {
  expect(
    choicesText([
      { settings: { stratified: true }, reason: 'every class keeps its share' },
      { settings: { learningRate: 0.001, schedule: 'cosine' }, reason: 'as is usual' },
    ]),
  ).toBe(
    '  --stratified                             every class keeps its share\n' +
      '  --learning-rate 0.001 --schedule cosine  as is usual',
  );
});

test.each([['90s', 90], ['10m', 600], ['1h', 3600], ['0.5h', 1800]])('%s are %i seconds', (text, seconds) => {
  expect(budgetSeconds(text)).toBe(seconds);
}); // prettier-ignore
