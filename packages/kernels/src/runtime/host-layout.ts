/** How tensors lie side by side on the host: as on the device, where that is dense, so that few copies do. */
import { BufferSlice } from './slice.ts';

/**
 * What is between tensors travels along where it is less than this, the granule of an arena of halves (coalesce.ts): there is no
 * tensor that is not meant in it.
 */
const LARGEST_GAP_BYTES = 256;

export interface HostLayout {
  /** Parts of device buffers, and where each begins on the host. */
  readonly ranges: readonly { readonly slice: BufferSlice; readonly at: number }[];
  readonly bytes: number;
}

const nobody = { release: () => undefined };

/** Ranges that cover the slices; neighbours in a buffer become one. */
export function layOutOnHost(slices: readonly BufferSlice[]): HostLayout {
  const buffers = [...new Set(slices.map(({ buffer }) => buffer))];
  const sorted = buffers.flatMap((buffer) =>
    [...new Set(slices)].filter((slice) => slice.buffer === buffer).sort((a, b) => a.offset - b.offset),
  );
  const ranges: { slice: BufferSlice; at: number }[] = [];
  let bytes = 0;
  for (const { buffer, offset, size } of sorted) {
    const last = ranges.at(-1);
    const gap = last?.slice.buffer === buffer ? offset - (last.slice.offset + last.slice.size) : -1;
    if (last && gap >= 0 && gap < LARGEST_GAP_BYTES) {
      const whole = offset + size - last.slice.offset;
      ranges[ranges.length - 1] = { slice: new BufferSlice(buffer, last.slice.offset, whole, nobody), at: last.at };
      bytes = last.at + whole;
    } else {
      ranges.push({ slice: new BufferSlice(buffer, offset, size, nobody), at: bytes });
      bytes += size;
    }
  }
  return { ranges, bytes };
}
