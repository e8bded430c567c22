// Phases as a table, and what is refused.
import { expect, test } from 'vitest';
import { resolveFreeze } from '../freeze/index.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { phases, type PhaseRequest } from './phases.ts';

const TABLE = layerTable(VARIANTS.keras, { imageSize: 32 });
const REQUEST: PhaseRequest = {
  thaw: 'conv5',
  epochs: 10,
  headEpochs: 15,
  learningRate: 1e-4,
  schedule: { kind: 'one-cycle' },
  patience: 5,
};
const of = (over: Partial<PhaseRequest>) => phases({ ...REQUEST, ...over }, TABLE);

test('without a method there is one phase, as the settings are', () => {
  const want = { name: undefined, thaw: 'conv5', epochs: 10, learningRate: 1e-4, schedule: { kind: 'one-cycle' }, patience: 5, augments: true }; // prettier-ignore
  expect(of({})).toEqual([want]);
  expect(of({ method: 'frozen', thaw: 'none' })).toEqual([{ ...want, thaw: 'none' }]);
});

test('fine-tune: the head on kept features, then what is thawed', () => {
  expect(of({ method: 'fine-tune' })).toEqual([
    { name: 'head', thaw: 'none', epochs: 15, learningRate: 1e-3, schedule: { kind: 'cosine' }, patience: 10, augments: false }, // prettier-ignore
    { name: 'conv5', thaw: 'conv5', epochs: 10, learningRate: 1e-4, schedule: { kind: 'one-cycle' }, patience: 5, augments: true }, // prettier-ignore
  ]);
});

test.each([
  ['conv5', ['none', 'conv5_block3', 'conv5_block2', 'conv5'], [15, 3, 3, 4]],
  ['conv5_block3', ['none', 'conv5_block3'], [15, 10]],
  ['conv4_block6', ['none', 'conv5_block3', 'conv5_block2', 'conv5_block1', 'conv4_block6'], [15, 2, 2, 2, 4]],
  ['-42:', ['none', 'conv5_block3', 'conv5_block2', 'conv5_block1', '-42:'], [15, 2, 2, 2, 4]],
])('gradual down to %s', (thaw, specs, epochs) => {
  const list = of({ method: 'gradual', thaw });
  expect(list.map((phase) => phase.thaw)).toEqual(specs);
  expect(list.map((phase) => phase.epochs)).toEqual(epochs);
  // Each phase trains all that the one before it trains, and more.
  const sizes = list.map((phase) => resolveFreeze(phase.thaw, TABLE).size);
  expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
});

test('gradual down to the stem: a phase for each of the sixteen blocks, one for the stem, and one for the head', () => {
  const list = of({ method: 'gradual', thaw: 'all', epochs: 4 });
  expect(list).toHaveLength(18);
  expect(list.slice(1).every(({ epochs }) => epochs === 1)).toBe(true);
});

test.each([
  [{ method: 'frozen' }, "the method frozen trains the head alone, and 'conv5' thaws 32 layers."],
  [{ method: 'fine-tune', thaw: 'none' }, "the method fine-tune thaws layers, and 'none' names none."],
  [
    { method: 'gradual', thaw: ':-42' },
    "gradual thaws from the top down, and ':-42' leaves conv4_block6_1_conv frozen",
  ],
] as const)('%j is refused', (over, message) => {
  expect(() => of(over)).toThrow(message);
});
