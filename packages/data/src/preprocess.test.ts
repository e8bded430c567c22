import { expect, test } from 'vitest';
import { normalisationOf, preprocess, PREPROCESSINGS, type Preprocessing } from './preprocess.ts';

const rgb = Uint8Array.of(255, 0, 128, 10, 20, 30);

function run(name: Preprocessing): number[] {
  const out = new Float32Array(8).fill(-999);
  preprocess(rgb, name, out, 1);
  expect([out[0], out[7]]).toEqual([-999, -999]);
  return [...out.subarray(1, 7)];
}

function expectClose(actual: number[], expected: number[]) {
  // One rounding to float32 of values up to 152: half a unit in the last place is 2^-17.
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2 ** -17));
}

test('keras: BGR less the means of ImageNet', () => {
  expectClose(run('keras'), [128 - 103.939, -116.779, 255 - 123.68, 30 - 103.939, 20 - 116.779, 10 - 123.68]);
});

test('torchvision: RGB to 0..1, less the mean, by the deviation', () => {
  // (1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (128/255 - 0.406) / 0.225, ... by hand
  expectClose(run('torchvision'), [2.2489083, -2.0357143, 0.4264924, -1.9466564, -1.6855742, -1.2815686]);
});

test('tf-official: RGB less the means', () => {
  expectClose(run('tf-official'), [131.32, -116.78, 24.06, -113.68, -96.78, -73.94]);
});

test('none: the bytes', () => {
  expect(run('none')).toEqual([255, 0, 128, 10, 20, 30]);
});

test.each(PREPROCESSINGS)('%s as arithmetic gives what its tables give', (name) => {
  const { channels, scale, shift } = normalisationOf(name);
  const pixels = [rgb.subarray(0, 3), rgb.subarray(3)];
  expectClose(
    run(name),
    pixels.flatMap((pixel) => channels.map((channel, c) => scale[c]! * pixel[channel]! + shift[c]!)),
  );
});

test('refuses an unknown name, half a pixel, and too short an output', () => {
  // @ts-expect-error a name that a program in JavaScript may pass
  expect(() => preprocess(rgb, 'caffe', new Float32Array(6))).toThrow(
    'preprocessing caffe is not one of keras, torchvision, tf-official, none',
  );
  // @ts-expect-error a name that every object has
  expect(() => preprocess(rgb, 'constructor', new Float32Array(6))).toThrow('is not one of');
  expect(() => preprocess(rgb.subarray(0, 4), 'none', new Float32Array(6))).toThrow('4 bytes are not whole RGB pixels');
  expect(() => preprocess(rgb, 'none', new Float32Array(6), 1)).toThrow('6 values do not fit at 1 of 6');
});
