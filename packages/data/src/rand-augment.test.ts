// RandAugment: torchvision's magnitudes, windows by hand and through coordinates, and that both operations do what they say.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  drawOperations,
  movedWindow,
  RAND_OPERATIONS,
  retone,
  type DrawnOperation,
  type Window,
} from './rand-augment.ts';

const WHOLE: Window = { x0: 0, x1: 100, y0: 0, y1: 100, shearX: 0, shearY: 0 };

/** The first draw as an operation's, the second as none. */
const drawn = (name: (typeof RAND_OPERATIONS)[number], sign: -1 | 1): DrawnOperation => {
  const which = (RAND_OPERATIONS.indexOf(name) + 0.5) / RAND_OPERATIONS.length;
  return drawOperations([which, sign < 0 ? 0.2 : 0.7, 0, 0])[0]!;
};

test("magnitudes: torchvision's RandAugment()._augmentation_space(31, (224, 224)) at 9", () => {
  // torch.linspace(0, 0.3, 31)[9], linspace(0, 150 / 331 * 224, 31)[9] = 30.45, linspace(0, 30, 31)[9], linspace(0, 0.9, 31)[9],
  // 8 - round(9 / 7.5), linspace(255, 0, 31)[9]
  const want = { 'shear-x': 0.09, 'shear-y': 0.09, rotate: (9 * Math.PI) / 180 } as const;
  for (const [name, amount] of Object.entries(want))
    for (const sign of [-1, 1] as const) expect(drawn(name as keyof typeof want, sign).amount).toBeCloseTo(sign * amount, 12); // prettier-ignore
  for (const name of ['translate-x', 'translate-y'] as const)
    expect(drawn(name, -1).amount * 224).toBeCloseTo(-30.453172, 5);
  for (const name of ['brightness', 'saturation', 'contrast', 'sharpness'] as const)
    expect([drawn(name, -1).amount, drawn(name, 1).amount].map((x) => x.toFixed(12))).toEqual(['0.730000000000', '1.270000000000']); // prettier-ignore
  expect(drawn('posterize', 1).amount).toBe(7);
  expect(drawn('solarize', -1).amount).toBeCloseTo(178.5, 12);
});

describe('windows, on an image of 100 x 100', () => {
  const moved = (name: (typeof RAND_OPERATIONS)[number], sign: -1 | 1 = 1): Window =>
    movedWindow(WHOLE, [drawn(name, sign)], 50);
  const close = (got: Window, want: Window): void => {
    for (const key of Object.keys(want) as (keyof Window)[]) expect(got[key]).toBeCloseTo(want[key], 9);
  };

  test('sheared about the upper left corner', () => {
    close(moved('shear-x'), { ...WHOLE, shearX: 9 });
    close(moved('shear-y', -1), { ...WHOLE, shearY: -9 });
  });
  test('moved by whole pixels of the view: 6 of 50', () => {
    close(moved('translate-x'), { ...WHOLE, x0: 12, x1: 112 });
    close(moved('translate-y', -1), { ...WHOLE, y0: -12, y1: 88 });
  });
  test('turned by 9 degrees about the middle', () => {
    const [cos, sin] = [0.98768834059514, 0.15643446504023];
    const corner = { x0: 50 - 50 * cos + 50 * sin, y0: 50 - 50 * cos - 50 * sin };
    close(moved('rotate'), { ...corner, x1: corner.x0 + 100 * cos, y1: corner.y0 + 100 * cos, shearX: -100 * sin, shearY: 100 * sin }); // prettier-ignore
  });
  test('colours leave it alone', () => {
    for (const name of RAND_OPERATIONS.slice(6)) expect(moved(name)).toBe(WHOLE);
  });

  test('one after the other is the first looked at through the second', () => {
    const names = fc.constantFrom(...RAND_OPERATIONS.slice(0, 6));
    const signs = fc.constantFrom<(-1 | 1)[]>(-1, 1);
    const numbers = fc.double({ min: -50, max: 150, noNaN: true });
    const windows = fc.record({ x0: numbers, x1: numbers, y0: numbers, y1: numbers, shearX: numbers, shearY: numbers });
    /** Where a point of the view, 0 to 1, lies in the image. */
    const at = (w: Window, [a, d]: readonly [number, number]): [number, number] => [
      w.x0 + a * (w.x1 - w.x0) + d * w.shearX,
      w.y0 + d * (w.y1 - w.y0) + a * w.shearY,
    ];
    const unit: Window = { x0: 0, x1: 1, y0: 0, y1: 1, shearX: 0, shearY: 0 };
    fc.assert(
      fc.property(windows, names, signs, names, signs, (window, one, oneSign, two, twoSign) => {
        const [first, second] = [drawn(one, oneSign), drawn(two, twoSign)];
        const both = movedWindow(window, [first, second], 50);
        for (const point of [
          [0, 0],
          [1, 0],
          [0, 1],
          [0.3, 0.8],
        ] as const) {
          // prettier-ignore
          const want = at(window, at(movedWindow(unit, [first], 50), at(movedWindow(unit, [second], 50), point)));
          at(both, point).forEach((value, i) => expect(value).toBeCloseTo(want[i]!, 9));
        }
      }),
    );
  });
});

test('colours change in the order of the operations; those that move pixels leave them', () => {
  const image = () => Float32Array.of(0, 100, 200, 50, 60, 70);
  const toned = (...operations: DrawnOperation[]): number[] => {
    const rgb = image();
    retone({ rgb, height: 1, width: 2 }, operations);
    return [...rgb];
  };
  const [brighter, inverted] = [drawn('brightness', 1), drawn('solarize', 1)];
  // 1.27 x, cut off: 0, 127, 254, 63, 76, 88; then 254 is inverted. The other way round 200 becomes 55, and 69.
  expect(toned(brighter, inverted)).toEqual([0, 127, 1, 63, 76, 88]);
  expect(toned(inverted, brighter)).toEqual([0, 127, 69, 63, 76, 88]);
  expect(toned(drawn('rotate', 1), drawn('identity', 1))).toEqual([...image()]);
});

test('each operation as often, one way as often as the other', () => {
  const counts = new Map<string, number>();
  const many = 14 * 1000;
  for (let i = 0; i < many; i++) {
    const u = (i + 0.5) / many;
    const [first, second] = drawOperations([u, (i % 2) / 2, 1 - u, 0.9]);
    const key = `${first!.name} ${Math.sign(first!.amount)} ${second!.name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    expect(RAND_OPERATIONS.indexOf(first!.name) + RAND_OPERATIONS.indexOf(second!.name)).toBe(13);
  }
  expect([counts.get('rotate 1 contrast'), counts.get('rotate -1 contrast')]).toEqual([500, 500]);
  expect(counts.get('equalize 0 identity')).toBe(1000);
});
