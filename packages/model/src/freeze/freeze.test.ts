// Freeze specs against Keras's layer list and Python's slices.
import { describe, expect, test } from 'vitest';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { batchNormMode, resolveFreeze } from './index.ts';
import { parseSlice, sliceIndices } from './python-slice.ts';

const table = layerTable(VARIANTS.keras, { imageSize: 32 });
const indices = (spec: string): number[] => {
  const names = resolveFreeze(spec, table);
  return table.filter(({ name }) => names.has(name)).map(({ index }) => index);
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('resolveFreeze', () => {
  test.each([
    ['none', []],
    ['all', range(0, 175)],
    ['conv5', range(143, 175)],
    ['conv4_block6', range(133, 175)],
    ['conv1', range(1, 175)],
    ['-42:', range(133, 175)],
    [':-42', range(0, 133)],
    ['10:20', range(10, 20)],
    ['170:1000', range(170, 175)],
    ['conv1_conv', [2]],
    ['/^conv1_/', [1, 2, 3, 4]],
    ['^conv1_', [1, 2, 3, 4]],
    ['conv1_conv, 3:4 ,/CONV1_RELU/i', [2, 3, 4]],
    ['/^conv1_[a-z]{2,2}$/,0:1', [0, 3]],
    ['none,conv5_block3', range(165, 175)],
  ] as const)('%s', (spec, expected) => {
    expect(indices(spec)).toEqual(expected);
  });

  test('the last 42 layers are conv4_block6 and conv5', () => {
    const names = [...resolveFreeze('-42:', table)];
    expect(names).toHaveLength(42);
    expect(names.every((name) => name.startsWith('conv4_block6_') || name.startsWith('conv5_'))).toBe(true);
    expect(resolveFreeze('conv4_block6', table)).toEqual(new Set(names));
    expect(resolveFreeze(':-42', table).size).toBe(133);
  });

  test('/_bn$/ takes all 53 batch-norms', () => {
    expect(resolveFreeze('/_bn$/', table).size).toBe(53);
  });

  test.each([
    [
      'conv6',
      /'conv6': no such block or layer\. Did you mean conv[1-5]\?.*Valid: none, all, .*conv4_block6.*-42:.*\/_bn\$\//,
    ],
    ['conv4_blok6', /Did you mean conv4_block6\?/],
    ['non', /Did you mean none\?/],
    ['bn', /write \/bn\//],
    ['', /it is empty; write none/],
    ['conv5,,conv4', /a part between commas is empty/],
    ['-5:-10', /this slice of 175 layers \(0 to 174\) is empty/],
    ['200:', /this slice of 175 layers \(0 to 174\) is empty/],
    ['1:2:0', /step cannot be 0/],
    ['a:b', /'a:b': not a slice of layers/],
    ['1.5:', /not a slice of layers/],
    ['/conv9/', /no layer's name matches/],
    ['/(/', /'\/\(\/': Invalid regular expression/],
    ['/conv5', /written \/pattern\//],
  ])('%s is refused', (spec, message) => {
    expect(() => resolveFreeze(spec, table)).toThrow(message);
  });
});

test('slices as Python takes them of a list of five', () => {
  const of = (text: string): number[] => {
    const slice = parseSlice(text);
    if (!slice) throw new Error(text);
    return sliceIndices(slice, 5);
  };
  // list(range(5))[...] in Python
  expect(of(':')).toEqual([0, 1, 2, 3, 4]);
  expect(of('::2')).toEqual([0, 2, 4]);
  expect(of('::-1')).toEqual([4, 3, 2, 1, 0]);
  expect(of('3:0:-2')).toEqual([3, 1]);
  expect(of('-2:')).toEqual([3, 4]);
  expect(of('-9:2')).toEqual([0, 1]);
  expect(of('-1:-9:-2')).toEqual([4, 2, 0]);
  expect(of('2:2')).toEqual([]);
  expect(parseSlice('5')).toBeUndefined();
});

test('batch-norm modes', () => {
  expect([true, false].map((trainable) => batchNormMode('keras', trainable))).toEqual(['batch', 'moving']);
  expect([true, false].map((trainable) => batchNormMode('frozen', trainable))).toEqual(['moving', 'moving']);
  expect([true, false].map((trainable) => batchNormMode('train', trainable))).toEqual(['batch', 'batch']);
  expect(() => batchNormMode('eval' as 'keras', true)).toThrow(/'eval'; valid ones: keras, frozen, train/);
});
