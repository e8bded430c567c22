// The rules of the choice, on given figures.
import { expect, test } from 'vitest';
import { trunkText } from '../text/trunk.ts';
import { fasterEngine, measuredImages, paysToMeasure, paysToStart, threadsThatFit } from './choose.ts';

test('the faster engine, and of equals the device', () => {
  expect(fasterEngine({ device: 97, wasm: 290 })).toBe('wasm');
  expect(fasterEngine({ device: 97, wasm: 80 })).toBe('device');
  expect(fasterEngine({ device: 97, wasm: 97 })).toBe('device');
  expect(fasterEngine({ device: 97, wasm: NaN })).toBe('device');
});

test('large images are timed in smaller batches of about as many pixels, four at least', () => {
  expect(measuredImages(32, 32)).toBe(32);
  expect(measuredImages(64, 32)).toBe(32);
  expect(measuredImages(8, 32)).toBe(8);
  expect(measuredImages(32, 64)).toBe(8);
  expect(measuredImages(32, 224)).toBe(4);
  expect(measuredImages(2, 224)).toBe(2);
});

test('few images are not measured', () => {
  // 64 runs of 32 images at 32 x 32, of 4 at 224 x 224.
  expect([2047, 2048].map((images) => paysToMeasure(images, 32, 32))).toEqual([false, true]);
  expect([255, 256].map((images) => paysToMeasure(images, 32, 224))).toEqual([false, true]);
});

test('where the device is done in twenty seconds no threads are started', () => {
  expect(paysToStart(1940, 97)).toBe(true);
  expect(paysToStart(1939, 97)).toBe(false);
});

test('a thread has a core, a batch and memory', () => {
  const room = { cores: 2, freeBytes: 8 * 2 ** 30, batches: 100, batchSize: 32, imageSize: 32 };
  expect(threadsThatFit(room)).toBe(2);
  expect(threadsThatFit({ ...room, batches: 1 })).toBe(1);
  // 280 MiB and 256 bytes a pixel: 288 MiB a thread of 4 GiB.
  expect(threadsThatFit({ ...room, cores: 64 })).toBe(14);
  // 280 MiB and 32 * 224^2 * 256 bytes: 672 MiB a thread.
  expect(threadsThatFit({ ...room, cores: 64, imageSize: 224 })).toBe(6);
  expect(threadsThatFit({ ...room, freeBytes: 2 ** 29 })).toBe(0);
});

test('the line that a person reads', () => {
  const imagesPerSecond = { device: 97.2, wasm: 289.6 };
  expect(trunkText({ engine: 'wasm', threads: 2, imagesPerSecond }, 'llvmpipe')).toBe(
    'tfjs-wasm on 2 threads, 290 images/s (llvmpipe 97)',
  );
  expect(trunkText({ engine: 'device', threads: 1, imagesPerSecond: { device: 97.2, wasm: 80 } }, 'llvmpipe')).toBe(
    'llvmpipe, 97 images/s (tfjs-wasm on 1 thread 80)',
  );
  expect(trunkText({ engine: 'wasm', threads: 2 }, 'llvmpipe')).toBe('tfjs-wasm on 2 threads');
});
