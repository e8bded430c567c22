// Grids and bindings at each limit of the device, one below it and one above it.
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../testing/absent-device.ts';
import { readShader } from '../wgsl/shader.ts';
import { checkBinding, elements, foldRows, foldWorkgroups, pipelineKey, type Workgroups } from './plan.ts';

const MOST = 7;
const limits = { ...defaultLimits, maxComputeWorkgroupsPerDimension: MOST };
const size = ([x, y, z]: Workgroups) => x * y * z;

describe('foldWorkgroups', () => {
  test.each([
    [0, [1, 1, 1]],
    [1, [1, 1, 1]],
    [MOST - 1, [MOST - 1, 1, 1]],
    [MOST, [MOST, 1, 1]],
    [MOST + 1, [4, 2, 1]],
    [2 * MOST, [MOST, 2, 1]],
    [2 * MOST + 1, [5, 3, 1]],
    [MOST * MOST - 1, [MOST, MOST, 1]],
    [MOST * MOST, [MOST, MOST, 1]],
  ] as const)('%i workgroups', (count, grid) => {
    expect(foldWorkgroups('k', count, limits)).toEqual(grid);
  });

  test('every count that fits is covered within the limit, with less than one row to spare', () => {
    for (let count = 1; count <= MOST * MOST; count++) {
      const grid = foldWorkgroups('k', count, limits);
      expect(Math.max(...grid)).toBeLessThanOrEqual(MOST);
      expect(size(grid)).toBeGreaterThanOrEqual(count);
      expect(size(grid) - count).toBeLessThan(MOST);
    }
  });

  test('one more than fits is refused with the kernel, both numbers and the remedy', () => {
    expect(() => foldWorkgroups('relu', MOST * MOST + 1, limits)).toThrow(
      "relu: 50 workgroups are more than this device's 7 x 7; use a smaller batch",
    );
  });

  test('the limit that every WebGPU device has', () => {
    expect(foldWorkgroups('k', 65_535, defaultLimits)).toEqual([65_535, 1, 1]);
    expect(foldWorkgroups('k', 65_536, defaultLimits)).toEqual([32_768, 2, 1]);
  });
});

describe('foldRows', () => {
  test.each([
    [1, 0, [1, 1, 1]],
    [MOST - 1, MOST - 1, [MOST - 1, MOST - 1, 1]],
    [MOST, MOST, [MOST, MOST, 1]],
    [2, MOST + 1, [2, 4, 2]],
    [1, MOST * MOST, [1, MOST, MOST]],
  ] as const)('%i columns x %i rows', (columns, rows, grid) => {
    expect(foldRows('k', columns, rows, limits)).toEqual(grid);
  });

  test.each([
    [MOST + 1, 1],
    [1, MOST * MOST + 1],
  ])('%i columns x %i rows are refused', (columns, rows) => {
    expect(() => foldRows('conv2d', columns, rows, limits)).toThrow(
      `conv2d: ${columns} x ${rows} workgroups are more than this device's 7; use a smaller batch`,
    );
  });
});

describe('checkBinding', () => {
  const small = { ...defaultLimits, maxStorageBufferBindingSize: 4096 };
  test.each([[[1023]], [[1024]], [[2, 2, 256]], [[0, 5]], [[]]])('%j fits 4,096 bytes', (shape) => {
    expect(() => checkBinding('k', 'x', shape, small)).not.toThrow();
  });

  test('one element more is refused with kernel, tensor, shape, both sizes and the remedy', () => {
    expect(() => checkBinding('conv2d', 'x', [5, 205], small)).toThrow(
      'conv2d: x [5, 205] takes 4,100 bytes, more than the 4,096 this device can bind; use a smaller batch or image',
    );
  });
});

test('the number of elements: a scalar has one, a tensor with an empty dimension none', () => {
  expect(elements([])).toBe(1);
  expect(elements([2, 3, 5])).toBe(30);
  expect(elements([2, 0, 5])).toBe(0);
});

test('a pipeline is named by shader, tuning and constants, never by sizes', () => {
  const shader = readShader('k', '// nothing\n');
  const plan = { shader, tuning: { T: 4 }, constants: { OP: 1 }, params: { n: 5 }, workgroups: [1, 1, 1], outputs: {} } as const; // prettier-ignore
  expect(pipelineKey(plan)).toBe(pipelineKey({ ...plan, params: { n: 6 }, workgroups: [9, 9, 1], outputs: {} }));
  const others = [{ ...plan, tuning: { T: 8 } }, { ...plan, constants: { OP: 2 } }, { ...plan, shader: { ...shader, name: 'l' } }]; // prettier-ignore
  for (const other of others) expect(pipelineKey(other)).not.toBe(pipelineKey(plan));
});
