// Views: each augmentation by hand or by what must hold for every draw, and that they follow from seed, epoch and image alone.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AUGMENTATIONS,
  augmentedView,
  parseAugmentations,
  plainView,
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
    expect(PLAIN).toEqual({ x0: 0, x1: 48, y0: 0, y1: 32, gain: 1, grey: 0, offset: 0, erased: { left: 0, top: 0, right: 0, bottom: 0 } }); // prettier-ignore
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

  test('rand: two operations of seven, each by its magnitude', () => {
    const views = many(['rand']);
    // Of an image of one colour brightness alone changes what is seen: by 1.27 or 0.73, once or twice.
    const seen = views.map(({ gain, grey, offset }) => (gain + grey) * 100 + offset);
    for (const wanted of [100, 127, 73, 161.29, 53.29, 92.71])
      expect(seen.some((value) => Math.abs(value - wanted) < 1e-9)).toBe(true);
    expect(new Set(seen.map((value) => value.toFixed(6))).size).toBe(6);
    // No brightness in two draws of seven.
    expect(Math.abs(share(views, ({ gain, grey, offset }) => Math.abs((gain + grey) * 100 + offset - 100) < 1e-9) - 36 / 49)).toBeLessThan(within(36 / 49)); // prettier-ignore
    // 13.6 % of 48 and of 32 pixels.
    expect([...new Set(views.map(({ x0 }) => x0))].sort((a, b) => a - b)).toEqual([-14, -7, 0, 7, 14]);
    expect([...new Set(views.map(({ y0 }) => y0))].sort((a, b) => a - b)).toEqual([-8, -4, 0, 4, 8]);
    for (const { x0, x1, y0, y1 } of views) expect([x1 - x0, y1 - y0]).toEqual([48, 32]);
  });

  test('rand: colours of 50 to 150 spread to 0 to 255, before or after a change of saturation', () => {
    const rgb = Uint8Array.from(GREY, (_, i) => (i % 2 === 0 ? 50 : 150));
    const views = Array.from({ length: 4000 }, (_, index) => look(['rand'], { index, rgb }));
    const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;
    const spread = views.filter(({ gain, grey, offset }) => near((gain + grey) * 50 + offset, 0) && near((gain + grey) * 150 + offset, 255)); // prettier-ignore
    // Alone, as 2.55 c - 127.5, or with saturation, which leaves grey pixels as they are.
    expect([...new Set(spread.map(({ gain }) => (gain / 2.55).toFixed(6)))].sort()).toEqual(['0.730000', '1.000000', '1.270000']); // prettier-ignore
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
