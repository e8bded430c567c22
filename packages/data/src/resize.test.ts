import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planCrop, resizeAndCrop } from './resize.ts';

/** Grey rows as RGB. */
function grey(rows: number[][]): Uint8Array {
  return Uint8Array.from(rows.flat().flatMap((value) => [value, value, value]));
}

function firstRow(rgb: Uint8Array, size: number): number[] {
  return Array.from({ length: size }, (_, x) => rgb[3 * x]!);
}

describe('planCrop', () => {
  test('is Resize(256), CenterCrop(224) of torchvision on a 500 x 375 photograph', () => {
    // 256 * 500 / 375 = 341.3
    expect(planCrop(375, 500, 224, 256 / 224)).toEqual({ width: 341, height: 256, left: 58, top: 16 });
    expect(planCrop(500, 375, 224, 256 / 224)).toEqual({ width: 256, height: 341, left: 16, top: 58 });
  });

  test('the crop always lies inside, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (h, w, s, r) => {
          const plan = planCrop(h, w, s, r);
          expect(plan.left >= 0 && plan.top >= 0).toBe(true);
          expect(plan.left + s <= plan.width && plan.top + s <= plan.height).toBe(true);
          expect(Math.min(plan.width, plan.height)).toBe(Math.max(s, Math.round(s * r)));
        },
      ),
    );
  });
});

describe('resizeAndCrop', () => {
  test('enlarges bilinearly with pixel centres at half-integers', () => {
    // 2 -> 4: output centres at 0.25, 0.75, 1.25, 1.75 of the input, whose pixels are centred at 0.5 and 1.5
    const out = resizeAndCrop(grey([[0, 100], [0, 100]]), 2, 2, 4); // prettier-ignore
    expect(firstRow(out, 4)).toEqual([0, 25, 75, 100]);
  });

  test('shrinks with a triangle as wide as the scale', () => {
    // 4 -> 2: weights 3/4, 3/4, 1/4 of the pixels within 2 of the centre, over their sum 7/4
    const row = [0, 70, 140, 210];
    expect(firstRow(resizeAndCrop(grey([row, row, row, row]), 4, 4, 2), 2)).toEqual([50, 160]);
  });

  test('takes the centre of a wide image', () => {
    // 6 x 2 at scale 1: columns 2 and 3
    const row = [0, 10, 20, 30, 40, 50];
    expect(firstRow(resizeAndCrop(grey([row, row]), 2, 6, 2), 2)).toEqual([20, 30]);
  });

  test('keeps an image of the same size, and channels apart', () => {
    const rgb = Uint8Array.from({ length: 5 * 5 * 3 }, (_, i) => (i * 37) % 256);
    expect(resizeAndCrop(rgb, 5, 5, 5)).toEqual(rgb);
  });

  test('a constant image stays constant, at any size and ratio', () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(side, side, side, fc.double({ min: 1, max: 2, noNaN: true }), fc.nat(255), (h, w, s, r, value) => {
        const out = resizeAndCrop(new Uint8Array(h * w * 3).fill(value), h, w, s, r);
        expect(out.length).toBe(s * s * 3);
        expect(out.every((byte) => byte === value)).toBe(true);
      }),
    );
  });

  test('mirroring the image mirrors the result', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), fc.integer({ min: 1, max: 20 }), (values, size) => {
        const row = [...values];
        const rows = (r: number[]) => grey(Array.from({ length: 9 }, () => r));
        const there = firstRow(resizeAndCrop(rows(row), 9, 9, size), size);
        const back = firstRow(resizeAndCrop(rows(row.toReversed()), 9, 9, size), size).toReversed();
        // A value of exactly one half may round either way.
        there.forEach((value, i) => expect(Math.abs(value - back[i]!)).toBeLessThanOrEqual(1));
      }),
    );
  });
});
