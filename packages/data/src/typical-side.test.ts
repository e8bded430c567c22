// The median of sides that are known.
import { expect, test } from 'vitest';
import type { ImageDataset } from './dataset.ts';
import { CorruptImageError } from './errors.ts';
import { typicalSide } from './typical-side.ts';

/** Image i has side `sides[i]`; undefined cannot be read. */
function dataset(sides: readonly (number | undefined)[], over: Partial<ImageDataset> = {}): ImageDataset {
  return {
    name: 'sides',
    classes: ['a', 'b'],
    length: sides.length,
    labels: new Int32Array(sides.length),
    hash: '',
    imageSize: null,
    readImage: () => Promise.reject(new Error('nothing is decoded')),
    readSide(index) {
      const side = sides[index];
      return side === undefined ? Promise.reject(new CorruptImageError(`${index}`, 'broken')) : Promise.resolve(side);
    },
    describe: String,
    ...over,
  };
}
const all = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);

test('the median of shorter sides, unreadable images left out', async () => {
  expect(await typicalSide(dataset([500, 20, undefined, 300, 40]), all(5))).toBe(300);
  expect(await typicalSide(dataset([500, 20, 300]), Int32Array.of(1))).toBe(20);
  expect(await typicalSide(dataset([undefined, undefined]), all(2))).toBeNull();
});

test('of many images 32, evenly spaced', async () => {
  let read = 0;
  const many = dataset([], { readSide: (index) => (read++, Promise.resolve(index)) });
  // Images 0, 100, ..., 3100: the seventeenth in order is 1600.
  expect(await typicalSide(many, all(3200))).toBe(1600);
  expect(read).toBe(32);
});

test('a data set of one size is not read', async () => {
  expect(await typicalSide(dataset([7], { imageSize: { height: 48, width: 32 } }), all(1))).toBe(32);
});
