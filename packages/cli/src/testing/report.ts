// A report of two methods, made up, with names that HTML must not take for its own.
import type { EpochRecord } from '@thaw/model';
import type { MethodReport, Report } from '../report/types.ts';

const history = (losses: readonly number[]): EpochRecord[] =>
  losses.map((loss, i) => ({
    epoch: i + 1,
    loss,
    accuracy: 1 - loss / 4,
    validationLoss: loss + 0.1,
    validationAccuracy: 0.9 - loss / 4,
    validationMacroF1: 0.5,
    learningRate: 0.001 / (i + 1),
    seconds: 2,
    imagesPerSecond: 100 + i,
    dataSeconds: 0.1,
  }));

/** One pixel. */
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='; // prettier-ignore

/** confusion[actual][predicted]: 10 cats, 5 <dogs>, 20 owls. */
export const CONFUSION = [[6, 4, 0], [1, 4, 0], [0, 2, 18]] as const; // prettier-ignore

export function methodFixture(name: string): MethodReport {
  const image = {
    src: PIXEL,
    actual: 'cat',
    predicted: '<dog>',
    confidence: 0.97,
    where: 'photos/"a".png',
    heat: PIXEL,
  };
  const f1 = [12 / 17, 8 / 15, 18 / 19];
  return {
    name,
    about: 'Only the head trains.',
    classes: ['cat', '<dog>', 'owl'],
    history: history([2, 1.5, 1.25]),
    bestEpoch: 3,
    evaluatedOn: 'test',
    images: 35,
    trainImages: 100,
    accuracy: 28 / 35,
    macroF1: 0.729,
    loss: 0.5,
    confusion: CONFUSION,
    perClass: [
      { precision: 6 / 7, recall: 0.6, f1: f1[0] ?? 0, support: 10 },
      { precision: 0.4, recall: 0.8, f1: f1[1] ?? 0, support: 5 },
      { precision: 1, recall: 0.9, f1: f1[2] ?? 0, support: 20 },
    ],
    calibration: {
      expectedError: 0.04,
      bins: [
        { from: 0, to: 0.5, count: 0, confidence: 0, accuracy: 0 },
        { from: 0.5, to: 1, count: 35, confidence: 0.84, accuracy: 0.8 },
      ],
    },
    examples: { right: [{ ...image, predicted: 'cat' }], wrong: [image, image], heatOf: 'conv5_block3_out, 4 x 4' },
    groups: [
      { name: 'stem to conv5_block3', layers: 175, trains: 'none', batchNorm: 'moving', parameters: 23_561_152, trainable: 0 },
      { name: 'head (linear)', layers: 1, trains: 'all', batchNorm: '', parameters: 6147, trainable: 6147 },
    ], // prettier-ignore
    settings: [['Seed', '1']],
    measured: [['Time', '3 s']],
    seconds: 3,
  };
}

export const reportFixture = (...names: string[]): Report => ({
  title: 'pets & <others>',
  notes: ['Generated </script> images.'],
  environment: {
    device: { name: 'GPU <3>', backend: 'thaw', driver: 'driver 1.2', isSoftware: false },
    versions: { thaw: '0.1.0', webgpu: '0.6.2' },
    command: "thaw train --data 'my <pets>'",
    created: '2026-11-25T20:00:00.000Z',
    hashes: [['Weights', 'abc123'], ['Training images', 'def456']],
  },
  methods: names.map(methodFixture),
}); // prettier-ignore
