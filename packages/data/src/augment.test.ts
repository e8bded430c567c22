// Views: each augmentation by hand or by what must hold for every draw, and that they follow from seed, epoch and image alone.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AUGMENTATIONS,
  augmentedView,
  parseAugmentations,
  plainView,
  retoneImage,
  type Augmentation,
  type View,
  type ViewRequest,
} from './augment.ts';

const [HEIGHT, WIDTH, SIDE] = [32, 48, 96];
const GREY = new Uint8Array(HEIGHT * WIDTH * 3).fill(100);

const look = (augmentations: readonly Augmentation[], changes: Partial<ViewRequest> = {}): View =>
  augmentedView({ augmentations, seed: 1, epoch: 1, index: 0, height: HEIGHT, width: WIDTH, side: SIDE, rgb: GREY, ...changes }); // prettier-ignore

const many = (augmentations: readonly Augmentation[]): View[] =>
  Array.from({ length: 4000 }, (_, index) => look(augmentations, { index }));

const PLAIN = plainView(HEIGHT, WIDTH);
const share = (views: readonly View[], holds: (view: View) => boolean): number =>
  views.filter(holds).length / views.length;
/** Five standard deviations of a share of 4000. */
const within = (p: number): number => 5 * Math.sqrt((p * (1 - p)) / 4000);

describe('what each does', () => {
  test('none: the whole image', () => {
    expect(look([])).toEqual(PLAIN);
    expect(PLAIN).toEqual({ x0: 0, x1: 48, y0: 0, y1: 32, shearX: 0, shearY: 0, gain: 1, grey: 0, offset: 0, erased: { left: 0, top: 0, right: 0, bottom: 0 } }); // prettier-ignore
  });

  test('crop: by whole pixels up to an eighth, every one of them as often', () => {
    const views = many(['crop']);
    for (const { x0, x1, y0, y1 } of views) {
      expect([x1 - x0, y1 - y0]).toEqual([48, 32]);
      expect([x0, y0].every(Number.isInteger)).toBe(true);
    }
    const steps = (most: number): number[] => Array.from({ length: 2 * most + 1 }, (_, i) => i - most);
    expect([...new Set(views.map(({ x0 }) => x0))].sort((a, b) => a - b)).toEqual(steps(6));
    expect([...new Set(views.map(({ y0 }) => y0))].sort((a, b) => a - b)).toEqual(steps(4));
    for (const dy of steps(4))
      expect(Math.abs(share(views, ({ y0 }) => y0 === dy) - 1 / 9)).toBeLessThan(within(1 / 9));
  });

  test('zoom: inside the image, at least half of it but for what does not fit', () => {
    const views = many(['zoom']);
    for (const { x0, x1, y0, y1 } of views) {
      const [w, h] = [x1 - x0, y1 - y0];
      expect(Math.min(x0, y0, 48 - x1, 32 - y1)).toBeGreaterThanOrEqual(-1e-9);
      expect((w * h) / (48 * 32)).toBeLessThanOrEqual(1 + 1e-9);
      // As high as the image where the rectangle would be higher: then its width alone tells its area.
      if (h < 32) expect((w * h) / (48 * 32)).toBeGreaterThanOrEqual(0.5 - 1e-9);
      if (h < 32) expect(w / h).toBeLessThanOrEqual(4 / 3 + 1e-9);
      expect(w / h).toBeGreaterThanOrEqual(3 / 4 - 1e-9);
    }
    // As often left of the middle as right of it.
    expect(Math.abs(share(views, ({ x0, x1 }) => x0 + x1 > 48) - 0.5)).toBeLessThan(within(0.5));
  });

  test('flip: every other time', () => {
    const views = many(['flip']);
    for (const { x0, x1 } of views) expect([[0, 48], [48, 0]]).toContainEqual([x0, x1]); // prettier-ignore
    expect(Math.abs(share(views, ({ x0 }) => x0 === 48) - 0.5)).toBeLessThan(within(0.5));
  });

  test('jitter: brightness, then contrast around the mean luma, then saturation', () => {
    for (const { gain, grey, offset } of many(['jitter'])) {
      // With b, c, s: gain = s b c, grey = (1 - s) b c, offset = (1 - c) b 100 on an image of luma 100.
      const both = gain + grey;
      const s = gain / both;
      const b = both + offset / 100; // b c + (1 - c) b
      const c = both / b;
      for (const factor of [b, c, s]) expect(Math.abs(factor - 1)).toBeLessThanOrEqual(0.2 + 1e-9);
    }
    // Contrast moves colours away from the mean of the image, which itself only brightness moves.
    const { gain, grey, offset } = look(['jitter'], { rgb: Uint8Array.of(0, 0, 0, 200, 200, 200) });
    const at = (v: number): number => (gain + grey) * v + offset;
    const b = (at(0) + at(200)) / 200;
    expect(b).toBeGreaterThan(0.8);
    expect(at(100)).toBeCloseTo(100 * b, 9);
  });

  test('erase: every other time, whole pixels inside the view, 2 to 20 percent of it', () => {
    const views = many(['erase']);
    const erased = views.map((view) => view.erased).filter(({ right }) => right > 0);
    expect(Math.abs(erased.length / views.length - 0.5)).toBeLessThan(within(0.5));
    for (const { left, top, right, bottom } of erased) {
      expect([left, top, right, bottom].every((edge) => Number.isInteger(edge) && edge >= 0 && edge <= SIDE)).toBe(
        true,
      );
      const [w, h] = [right - left, bottom - top];
      // Each side is rounded by at most half a pixel.
      expect((w + 0.5) * (h + 0.5)).toBeGreaterThan(0.02 * SIDE ** 2);
      expect((w - 0.5) * (h - 0.5)).toBeLessThan(0.2 * SIDE ** 2);
    }
    expect(erased.some(({ left }) => left === 0)).toBe(true);
    expect(erased.some(({ right }) => right === SIDE)).toBe(true);
  });

  test('rand: windows of two operations in fourteen, colours left alone', () => {
    const views = many(['rand']);
    // Five of fourteen move pixels.
    const isStill = ({ x0, x1, y0, y1, shearX, shearY }: View): boolean =>
      [x0, x1 - 48, y0, y1 - 32, shearX, shearY].every((value) => value === 0);
    expect(Math.abs(share(views, isStill) - (9 / 14) ** 2)).toBeLessThan(within((9 / 14) ** 2));
    // 13.6 % of the view's 96 pixels are 13 of them: 6.5 pixels of the image's 48 across, 4 1/3 of its 32 down.
    for (const dx of [-13, -6.5, 6.5, 13]) expect(views.some(({ x0, x1 }) => x0 === dx && x1 === 48 + dx)).toBe(true);
    for (const dy of [-13 / 3, 13 / 3]) expect(views.some(({ y0 }) => Math.abs(y0 - dy) < 1e-9)).toBe(true);
    // Sheared once: 9 % of a side.
    expect(views.some(({ x0, x1, shearX }) => x0 === 0 && x1 === 48 && Math.abs(shearX - 0.09 * 48) < 1e-9)).toBe(true);
    // Its colours are in the image's bytes.
    for (const { gain, grey, offset } of views) expect([gain, grey, offset]).toEqual([1, 0, 0]);
  });

  test('rand: colours of the same draws, in place; of nothing else', () => {
    const rgbOf = (augmentations: readonly Augmentation[], index: number): Uint8Array => {
      const rgb = Uint8Array.of(0, 101, 201, 50, 60, 71);
      retoneImage({ augmentations, seed: 1, epoch: 1, index, height: 1, width: 2, side: SIDE, rgb });
      return rgb;
    };
    const before = rgbOf([], 0);
    expect([...before]).toEqual([0, 101, 201, 50, 60, 71]);
    const all = Array.from({ length: 4000 }, (_, index) => rgbOf(['rand'], index));
    expect(rgbOf(['crop', 'zoom', 'flip', 'jitter', 'erase'], 5)).toEqual(before);
    // On two pixels sharpness and equalize do nothing: 8 of 14 leave the image as it is.
    const untouched = all.filter((rgb) => rgb.join() === before.join()).length / all.length;
    expect(Math.abs(untouched - (8 / 14) ** 2)).toBeLessThan(within((8 / 14) ** 2));
    expect(rgbOf(['rand'], 17)).toEqual(all[17]);
    expect(rgbOf(['flip', 'rand', 'erase'], 17)).toEqual(all[17]);
  });
});

describe('chance', () => {
  const requests = fc.record({ seed: fc.nat(), epoch: fc.integer({ min: 1, max: 99 }), index: fc.nat(99_999) });
  const subsets = fc.subarray([...AUGMENTATIONS]);

  test('the same seed, epoch and image give the same view; each of them changed gives another', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const all = look(AUGMENTATIONS, request);
        expect(look(AUGMENTATIONS, request)).toEqual(all);
        for (const name of ['seed', 'epoch', 'index'] as const)
          expect(look(AUGMENTATIONS, { ...request, [name]: request[name] + 1 })).not.toEqual(all);
      }),
    );
  });

  test('the order of the list is nothing, and an augmentation draws the same whatever else there is', () => {
    fc.assert(
      fc.property(requests, subsets, (request, some) => {
        const view = look(some, request);
        expect(look([...some].reverse(), request)).toEqual(view);
        if (some.includes('erase')) expect(view.erased).toEqual(look(['erase'], request).erased);
        if (some.includes('jitter') && !some.includes('rand')) expect(view.gain).toBe(look(['jitter'], request).gain);
        expect(view.x0 > view.x1).toBe(some.includes('flip') && look(['flip'], request).x0 === WIDTH);
        if (some.includes('crop') && !some.includes('zoom') && !some.includes('rand'))
          expect(view.y0).toBe(look(['crop'], request).y0);
      }),
    );
  });
});

test('policies and lists', () => {
  expect(parseAugmentations('none')).toEqual([]);
  expect(parseAugmentations('light')).toEqual(['crop', 'flip']);
  expect(parseAugmentations('strong')).toEqual(['zoom', 'flip', 'jitter', 'erase']);
  expect(parseAugmentations('erase, crop')).toEqual(['erase', 'crop']);
  expect(() => parseAugmentations('crop,rotate')).toThrow(
    "augmentation 'rotate' is not known; give none, light, strong, or a list of crop, zoom, flip, jitter, erase, rand with commas",
  );
});
