// What a kernel has to do at least, by hand.
import { expect, test } from 'vitest';
import { KERNEL_CASES, tapsInside, workOf } from './kernel-cases.ts';

test('taps outside the image are not work', () => {
  // 3 taps over 4 pixels with padding 1: the first and the last output have one tap outside.
  expect(tapsInside(4, 4, 3, 1, 1, 1)).toBe(10);
  expect(tapsInside(1, 1, 3, 1, 1, 1)).toBe(1);
  expect(tapsInside(5, 3, 3, 2, 1, 1)).toBe(7);
  expect(tapsInside(5, 5, 3, 1, 2, 2)).toBe(11);
});

test('operations and bytes', () => {
  const shape = { batch: 2, inH: 4, inW: 4, inC: 3, outH: 4, outW: 4, outC: 5, kH: 3, kW: 3, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1 }; // prettier-ignore
  for (const op of ['conv2d', 'conv2d-backward-input', 'conv2d-backward-filter'] as const)
    expect(workOf({ op, shape })).toEqual({ flops: 2 * 2 * 100 * 15, bytes: 4 * (2 * 16 * 3 + 2 * 16 * 5 + 135) });
  // Halves for x, y and the filter; a filter's gradient stays in float32.
  expect(workOf({ op: 'conv2d', shape }, 'float16').bytes).toBe(2 * (96 + 160 + 135));
  expect(workOf({ op: 'conv2d-backward-filter', shape }, 'float16').bytes).toBe(2 * (96 + 160) + 4 * 135);
  expect(workOf({ op: 'dense', batch: 2, inputs: 3, outputs: 5 })).toEqual({ flops: 60, bytes: 4 * (6 + 15 + 10) });
  expect(workOf({ op: 'adam', size: 10 }).bytes).toBe(280);
});

test('every convolution of both image sizes is there in three directions, under a name of its own', () => {
  expect(KERNEL_CASES.filter(({ work }) => work.op.startsWith('conv2d'))).toHaveLength(2 * 3 * 24);
  expect(new Set(KERNEL_CASES.map(({ name }) => name)).size).toBe(KERNEL_CASES.length);
});
