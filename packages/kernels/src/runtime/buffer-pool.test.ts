// Size classes, reuse, ceiling, trim and report of the pool, on a device that only counts.
import { expect, test, vi } from 'vitest';
import { absentDevice } from '../testing/absent-device.ts';
import { BufferPool, sizeClass } from './buffer-pool.ts';
import { OutOfMemoryError } from './errors.ts';

const KIB = 1024;

function pool({
  ceiling = 64 * KIB,
  maxBufferSize = 1024 * KIB,
  most = Infinity,
  mayDestroy = (): boolean => true,
} = {}) {
  const { device, log } = absentDevice({ maxBufferSize });
  const onError = vi.fn();
  return { pool: new BufferPool(device, 0, ceiling, most, mayDestroy, onError), log, onError };
}

test.each([
  [0, 256], [1, 256], [256, 256], [257, 512], [1024, 1024], [1025, 1280], [1280, 1280], [1281, 1536], [2048, 2048],
  [2049, 2560], [1_000_000, 1_048_576], [1_048_576, 1_048_576], [1_048_577, 1_310_720],
])('%i bytes take a buffer of %i', (bytes, size) => expect(sizeClass(bytes)).toBe(size)); // prettier-ignore

test('a class is a multiple of 256, holds what was asked for and wastes at most a fifth', () => {
  for (let bytes = 1; bytes < 2 ** 31; bytes = Math.ceil(bytes * 1.07)) {
    const size = sizeClass(bytes);
    expect(size % 256).toBe(0);
    expect(size).toBeGreaterThanOrEqual(bytes);
    if (bytes > 1024) expect((size - bytes) / size).toBeLessThanOrEqual(0.2);
  }
});

test('a freed buffer is handed out again for its class, the latest first, and for no other', () => {
  const { pool: p, log } = pool();
  const [a, b] = [p.acquire(1000), p.acquire(1000)];
  expect(a).not.toBe(b);
  p.release(a);
  p.release(b);
  expect(p.acquire(2000)).not.toBe(b);
  expect(p.acquire(900)).toBe(b);
  expect(p.acquire(1024)).toBe(a);
  expect(log.created).toHaveLength(3);
});

test('the report: used, pooled and the most held since the last trim', () => {
  const { pool: p } = pool();
  const a = p.acquire(1024);
  const b = p.acquire(2048);
  expect(p.report()).toEqual({ usedBytes: 3072, pooledBytes: 0, peakBytes: 3072 });
  p.release(b);
  expect(p.report()).toEqual({ usedBytes: 1024, pooledBytes: 2048, peakBytes: 3072 });
  p.release(a);
  p.acquire(1024);
  expect(p.report()).toEqual({ usedBytes: 1024, pooledBytes: 2048, peakBytes: 3072 });
  p.trim();
  expect(p.report()).toEqual({ usedBytes: 1024, pooledBytes: 0, peakBytes: 1024 });
});

test('beyond the ceiling a freed buffer is destroyed', () => {
  const { pool: p, log } = pool({ ceiling: 3 * KIB });
  const buffers = [p.acquire(KIB), p.acquire(2 * KIB), p.acquire(256)];
  for (const buffer of buffers) p.release(buffer);
  expect(log.destroyed).toEqual([buffers[2]]);
  expect(p.report()).toMatchObject({ usedBytes: 0, pooledBytes: 3 * KIB });
});

test('while recorded work may still use them, neither the ceiling nor trim destroys buffers', () => {
  let idle = false;
  const { pool: p, log } = pool({ ceiling: 0, mayDestroy: () => idle });
  const a = p.acquire(KIB);
  p.release(a);
  p.trim();
  expect(log.destroyed).toEqual([]);
  expect(p.report().pooledBytes).toBe(KIB);
  idle = true;
  p.trim();
  expect(log.destroyed).toEqual([a]);
});

test('a tensor over the largest buffer is refused with both sizes and the remedy, and counted nowhere', () => {
  const { pool: p, log } = pool({ maxBufferSize: 1100 });
  // Its class would be 1280.
  expect(p.acquire(1100).size).toBe(1100);
  expect(() => p.acquire(1101)).toThrow(
    "a tensor of 1,101 bytes is larger than this device's largest buffer, 1,100; use a smaller batch or image",
  );
  expect(log.created).toHaveLength(1);
  expect(p.report()).toEqual({ usedBytes: 1100, pooledBytes: 0, peakBytes: 1100 });
});

test('running out of memory is reported with the size that was asked for', () => {
  const { pool: p, onError } = pool();
  p.acquire(5000);
  expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(Promise), expect.any(Function));
  const [, explain] = onError.mock.calls[0] as [unknown, (reason: string) => Error];
  expect(explain('no room')).toEqual(new OutOfMemoryError(5120, 'no room'));
});

test('beyond its ceiling: free buffers make room first, then the buffer is refused', () => {
  const { pool: buffers, log } = pool({ most: 4 * KIB });
  const kept = buffers.acquire(KIB);
  buffers.release(buffers.acquire(2 * KIB));
  expect(buffers.report()).toMatchObject({ usedBytes: KIB, pooledBytes: 2 * KIB });
  buffers.acquire(3 * KIB);
  expect(log.destroyed).toHaveLength(1);
  expect(() => buffers.acquire(256)).toThrow(OutOfMemoryError);
  expect(() => buffers.acquire(256)).toThrow('another 256 bytes (4,096 of 4,096 are in use)');
  buffers.release(kept);
  expect(buffers.acquire(KIB)).toBe(kept);
});
