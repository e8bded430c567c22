// Operations on colours: what Pillow makes of the same image (testing/pillow-tones.py), byte for byte, and by hand.
import { describe, expect, test } from 'vitest';
import pillow from './testing/pillow-tones.json' with { type: 'json' };
import { TONES, type Tone } from './tones.ts';

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const { height, width } = pillow;

test.each(pillow.cases)('as Pillow: $name by $amount', ({ name, amount, rgb }) => {
  const whole = bytes(pillow.image);
  // In the numbers of a batch and in those of a file.
  for (const image of [Float32Array.from(whole), whole]) {
    TONES[name as Tone]({ rgb: image, height, width }, amount);
    expect(Array.from(image)).toEqual(Array.from(bytes(rgb)));
  }
});

test('every operation has a case, and changes that image', () => {
  expect(new Set(pillow.cases.map(({ name }) => name))).toEqual(new Set(Object.keys(TONES)));
  for (const { rgb } of pillow.cases) expect(rgb).not.toBe(pillow.image);
});

describe('images with nothing to change', () => {
  const tone = (name: Tone, amount: number, rgb: number[], side: [number, number]): number[] => {
    const image = Float32Array.from(rgb);
    TONES[name]({ rgb: image, height: side[0], width: side[1] }, amount);
    return [...image];
  };
  const one = [7, 100, 255];
  test.each(['autocontrast', 'equalize', 'sharpness', 'saturation'] as const)(
    'a factor of 1, one colour: %s',
    (name) => {
      expect(tone(name, 1, [...one, ...one], [1, 2])).toEqual([...one, ...one]);
    },
  );
  test('no pixels inside the edges: not sharpened', () => {
    const rgb = [0, 0, 0, 90, 90, 90, 200, 200, 200, 10, 10, 10];
    expect(tone('sharpness', 1.27, rgb, [2, 2])).toEqual(rgb);
  });
  test('few pixels are not equalized: no step of one byte', () => {
    expect(tone('equalize', 0, [0, 0, 0, 255, 255, 255], [1, 2])).toEqual([0, 0, 0, 255, 255, 255]);
  });
});
