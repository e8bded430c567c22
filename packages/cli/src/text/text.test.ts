// Numbers, tables and arrays as text, against what a person would write and NumPy would read.
import { describe, expect, test } from 'vitest';
import { bytes, clock, count, duration, percent, plural, rate, score } from './format.ts';
import { editDistance, nearest } from './nearest.ts';
import { encodeNpy } from './npy.ts';
import { table } from './table.ts';

test('numbers', () => {
  expect(count(23587712)).toBe('23,587,712');
  expect([percent(0.6583), percent(Number.NaN), percent(0.1, 0)]).toEqual(['65.8 %', '-', '10 %']);
  expect([score(0.6587), score(undefined), score(Number.NaN)]).toEqual(['0.659', '-', '-']);
  expect([rate(7.44), rate(127.6), rate(12340)]).toEqual(['7.4', '128', '12,340']);
  expect([plural(1, 'class', 'classes'), plural(1200, 'image')]).toEqual(['1 class', '1,200 images']);
});

test('times', () => {
  expect([0, 7.4, 59.6, 725, 3723, Infinity].map(clock)).toEqual(['0:00', '0:07', '1:00', '12:05', '1:02:03', '-:--']);
  expect([0.84, 9.94, 9.96, 59.4, 185, 3599.4, 3720].map((s) => duration(s))).toEqual([
    '0.8 s', '9.9 s', '10 s', '59 s', '3 min 05 s', '59 min 59 s', '1 h 02 min',
  ]); // prettier-ignore
  expect(duration(0.7564, 3)).toBe('0.756 s');
});

test('sizes', () => {
  expect([0, 1023, 1024, 51_484_672, 2 ** 41].map(bytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '49.1 MiB', '2.0 TiB']);
});

describe('words that were meant', () => {
  test('edits are counted; neighbours that changed places count once', () => {
    expect([editDistance('adam', 'adam'), editDistance('adma', 'adam'), editDistance('', 'sgd'), editDistance('kitten', 'sitting')]).toEqual([0, 1, 3, 3]); // prettier-ignore
  });

  test('a word far from all is no suggestion', () => {
    expect(nearest('lerning-rate', ['learning-rate', 'epochs'])).toBe('learning-rate');
    expect(nearest('zebra', ['learning-rate', 'epochs'])).toBeUndefined();
  });
});

test('a table lines its columns up and leaves no blanks at line ends', () => {
  const text = table([{ title: 'class' }, { title: 'F1', align: 'right' }], [['ant', '0.9'], ['honey bee', '0.875']]); // prettier-ignore
  expect(text).toBe('class         F1\nant          0.9\nhoney bee  0.875');
});

test('.npy: magic, version, a header of 64 bytes or a multiple, little-endian values', () => {
  const file = encodeNpy(Float32Array.of(1, -2, 0.5, 4, 5, 6), [3, 2]);
  // numpy.save of the same array (NumPy 2.1), its first 128 bytes as text.
  const header =
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }".padEnd(127) + '\n';
  expect(Buffer.from(file.subarray(0, 128)).toString('latin1')).toBe(header);
  expect(Buffer.from(file).readFloatLE(128 + 4)).toBe(-2);
  expect(file.length).toBe(128 + 24);
  expect(Buffer.from(encodeNpy(Int32Array.of(7), [1])).toString('latin1')).toContain("'<i4', 'fortran_order': False, 'shape': (1,), }"); // prettier-ignore
});
