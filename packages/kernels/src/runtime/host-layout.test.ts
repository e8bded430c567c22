// How tensors lie on the host: neighbours together, and never what lies between them and is not meant.
import { expect, test } from 'vitest';
import { absentDevice } from '../testing/absent-device.ts';
import { layOutOnHost } from './host-layout.ts';
import { BufferSlice } from './slice.ts';

const nobody = { release: () => undefined };

test('padding travels along, a tensor in between does not', () => {
  const { device } = absentDevice();
  const [one, other] = [0, 1].map(() => device.createBuffer({ size: 4096, usage: 0 }));
  if (!one || !other) throw new Error('there are no buffers');
  const at = (buffer: GPUBuffer, offset: number, size: number): BufferSlice =>
    new BufferSlice(buffer, offset, size, nobody);
  // Halves at multiples of 256 bytes: 0 and 256 are neighbours, at 512 lies another tensor, 768 is asked for, too.
  const slices = [at(one, 768, 64), at(one, 0, 16), at(other, 0, 32), at(one, 256, 240)];
  const { ranges, bytes } = layOutOnHost(slices);
  expect(ranges.map(({ slice, at: start }) => [slice.buffer === one, slice.offset, slice.size, start])).toEqual([
    [true, 0, 496, 0],
    [true, 768, 64, 496],
    [false, 0, 32, 560],
  ]);
  expect(bytes).toBe(592);
});
