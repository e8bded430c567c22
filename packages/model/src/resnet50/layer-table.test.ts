// The layer table against Keras's: names, order, shapes and counts as `ResNet50(...).summary()` prints them.
import { describe, expect, test } from 'vitest';
import { layerTable, summary, VARIANTS, type Layer } from './index.ts';

const named = (table: readonly Layer[], name: string): Layer => {
  const layer = table.find((candidate) => candidate.name === name);
  if (!layer) throw new Error(`no layer ${name}`);
  return layer;
};
const total = (table: readonly Layer[]): number => table.reduce((sum, { parameters }) => sum + parameters, 0);

describe('layerTable', () => {
  test.each([
    ['keras', 23_587_712, 25_636_712],
    ['torchvision', 23_561_152, 25_610_152],
    ['tf-official', 23_561_152, 25_610_152],
  ] as const)('%s: 175 layers and its parameter counts', (name, withoutTop, withTop) => {
    const table = layerTable(VARIANTS[name], { imageSize: 224 });
    expect(table).toHaveLength(175);
    expect(total(table)).toBe(withoutTop);
    expect(table.map(({ index }) => index)).toEqual(table.map((_, i) => i));
    const full = layerTable(VARIANTS[name], { imageSize: 224, includeTop: true });
    expect(full).toHaveLength(177);
    expect(full.slice(175).map((layer) => layer.name)).toEqual(['avg_pool', 'predictions']);
    expect(total(full)).toBe(withTop);
  });

  test('names in Keras’s order', () => {
    const names = layerTable(VARIANTS.keras, { imageSize: 224 }).map(({ name }) => name);
    expect(names.slice(0, 31)).toEqual([
      ...['input_1', 'conv1_pad', 'conv1_conv', 'conv1_bn', 'conv1_relu', 'pool1_pad', 'pool1_pool'],
      ...['conv2_block1_1_conv', 'conv2_block1_1_bn', 'conv2_block1_1_relu'],
      ...['conv2_block1_2_conv', 'conv2_block1_2_bn', 'conv2_block1_2_relu'],
      ...['conv2_block1_0_conv', 'conv2_block1_3_conv', 'conv2_block1_0_bn', 'conv2_block1_3_bn'],
      ...['conv2_block1_add', 'conv2_block1_out'],
      ...['conv2_block2_1_conv', 'conv2_block2_1_bn', 'conv2_block2_1_relu'],
      ...['conv2_block2_2_conv', 'conv2_block2_2_bn', 'conv2_block2_2_relu'],
      ...['conv2_block2_3_conv', 'conv2_block2_3_bn', 'conv2_block2_add', 'conv2_block2_out'],
      ...['conv2_block3_1_conv', 'conv2_block3_1_bn'],
    ]);
    // Indices that Keras users know by heart: stages end at 38, 80, 142 and 174.
    expect([38, 80, 142, 174].map((i) => names[i])).toEqual(
      ['conv2_block3', 'conv3_block4', 'conv4_block6', 'conv5_block3'].map((block) => `${block}_out`),
    );
    expect(new Set(names).size).toBe(175);
  });

  test('Keras at 224: shapes, counts and connections of summary()', () => {
    const table = layerTable(VARIANTS.keras, { imageSize: 224, includeTop: true });
    const expected: [string, number[], number][] = [
      ['conv1_pad', [230, 230, 3], 0],
      ['conv1_conv', [112, 112, 64], 9472],
      ['conv1_bn', [112, 112, 64], 256],
      ['pool1_pad', [114, 114, 64], 0],
      ['pool1_pool', [56, 56, 64], 0],
      ['conv2_block1_1_conv', [56, 56, 64], 4160],
      ['conv2_block1_2_conv', [56, 56, 64], 36_928],
      ['conv2_block1_0_conv', [56, 56, 256], 16_640],
      ['conv3_block1_1_conv', [28, 28, 128], 32_896],
      ['conv4_block1_0_bn', [14, 14, 1024], 4096],
      ['conv5_block1_1_conv', [7, 7, 512], 524_800],
      ['conv5_block3_out', [7, 7, 2048], 0],
      ['avg_pool', [2048], 0],
      ['predictions', [1000], 2_049_000],
    ];
    for (const [name, outputShape, parameters] of expected)
      expect(named(table, name), name).toMatchObject({ outputShape, parameters });
    expect(named(table, 'conv2_block1_add').inputs).toEqual(['conv2_block1_0_bn', 'conv2_block1_3_bn']);
    expect(named(table, 'conv2_block2_add').inputs).toEqual(['conv2_block1_out', 'conv2_block2_3_bn']);
    expect(named(table, 'conv2_block1_0_conv').inputs).toEqual(['pool1_pool']);
    expect(named(table, 'conv2_block1_3_conv').inputs).toEqual(['conv2_block1_2_relu']);
  });

  test('stride placement and stem pool padding differ by variant', () => {
    const shape = (variant: keyof typeof VARIANTS, name: string): readonly number[] =>
      named(layerTable(VARIANTS[variant], { imageSize: 32 }), name).outputShape;
    expect(shape('keras', 'conv3_block1_1_conv')).toEqual([4, 4, 128]);
    expect(shape('torchvision', 'conv3_block1_1_conv')).toEqual([8, 8, 128]);
    expect(shape('torchvision', 'conv3_block1_2_conv')).toEqual([4, 4, 128]);
    expect(shape('torchvision', 'pool1_pad')).toEqual([18, 18, 64]);
    expect(shape('tf-official', 'pool1_pad')).toEqual([17, 17, 64]);
    expect(shape('tf-official', 'conv5_block3_out')).toEqual([1, 1, 2048]);
  });

  test('a wrong image size is refused', () => {
    expect(() => layerTable(VARIANTS.keras, { imageSize: 0 })).toThrow(/imageSize must be a whole number.*got 0/);
  });
});

test('summary: rows and totals; Keras counts 53,120 non-trainable with all layers trainable', () => {
  const table = layerTable(VARIANTS.keras, { imageSize: 32 });
  const all = summary(table, new Set(table.map(({ name }) => name)), 'keras');
  expect(all.totals).toEqual({ parameters: 23_587_712, trainable: 23_534_592, nonTrainable: 53_120 });
  expect(all.rows[3]).toEqual({
    index: 3,
    name: 'conv1_bn',
    kind: 'BatchNormalization',
    outputShape: '(None, 16, 16, 64)',
    parameters: 256,
    trainable: true,
    batchNorm: 'batch',
    connectedTo: ['conv1_conv'],
  });
  const none = summary(table, new Set(), 'keras');
  expect(none.totals.trainable).toBe(0);
  expect(none.rows[3]).toMatchObject({ trainable: false, batchNorm: 'moving' });
  expect(none.rows[2]).not.toHaveProperty('batchNorm');
});
