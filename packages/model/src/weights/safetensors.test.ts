// The reader and writer of safetensors: against bytes put together by hand, and every way a file can be wrong.
import { describe, expect, test } from 'vitest';
import { readSafetensors, toFloat32, toInt32, writeSafetensors, type SafetensorsInput } from './index.ts';

/** A file from a header and data, as the format's description says. */
function file(header: unknown, data: Uint8Array, announced?: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(announced ?? json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const tensorMap = (tensors: [string, SafetensorsInput][]): Map<string, SafetensorsInput> => new Map(tensors);

const f32 = (begin: number, end: number, shape: number[]): unknown => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('readSafetensors', () => {
  test('every dtype, from hand-made bytes at an odd offset', () => {
    const data = new Uint8Array([
      ...[0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0xc0], // F32 1.5, -2
      ...[0x00, 0x3c, 0x01, 0x00, 0xff, 0x7b, 0x00, 0xfc], // F16 1, 2^-24, 65504, -infinity
      ...[0x80, 0x3f, 0x49, 0xc0], // BF16 1, -3.140625
      ...[0xfe, 0xff, 0xff, 0xff], // I32 -2
      ...[0x07, 0, 0, 0, 0, 0, 0, 0], // I64 7
      ...[200], // U8
    ]);
    const header = {
      __metadata__: { made: 'by hand' },
      a: f32(0, 8, [2]),
      b: { dtype: 'F16', shape: [2, 2], data_offsets: [8, 16] },
      c: { dtype: 'BF16', shape: [2], data_offsets: [16, 20] },
      d: { dtype: 'I32', shape: [], data_offsets: [20, 24] },
      e: { dtype: 'I64', shape: [1], data_offsets: [24, 32] },
      f: { dtype: 'U8', shape: [1], data_offsets: [32, 33] },
    };
    const shifted = new Uint8Array([0, ...file(header, data)]).subarray(1);
    const { tensors, metadata } = readSafetensors(shifted);
    expect(metadata).toEqual({ made: 'by hand' });
    expect([...toFloat32(tensors.get('a')!)!]).toEqual([1.5, -2]);
    expect([...toFloat32(tensors.get('b')!)!]).toEqual([1, 2 ** -24, 65_504, -Infinity]);
    expect([...toFloat32(tensors.get('c')!)!]).toEqual([1, -3.140625]);
    expect([...toInt32(tensors.get('d')!)!]).toEqual([-2]);
    expect(toFloat32(tensors.get('e')!)).toBeUndefined();
    expect(tensors.get('f')).toMatchObject({ dtype: 'U8', shape: [1] });
  });

  const two = new Uint8Array(8);
  test.each([
    ['no header', new Uint8Array(5), /weights\.bin: truncated: 5 bytes/],
    ['a header past the end', file({}, two, 1000), /announce a header of 1000 bytes, but only 10 follow/],
    ['bad JSON', file('{"a": ', two), /header \(bytes 8 to 14\) is not JSON/],
    ['a list for a header', file([], two), /not a JSON object/],
    [
      'missing data',
      file({ a: f32(0, 16, [4]) }, two),
      /tensor 'a' ends at byte 16 of the data, which has 8.*truncated/,
    ],
    ['an overlap', file({ a: f32(0, 8, [2]), b: f32(4, 8, [1]) }, two), /'a' and 'b' overlap at byte 4/],
    ['a gap', file({ a: f32(4, 8, [1]) }, two), /bytes 0 to 4 of the data, before tensor 'a', belong to no tensor/],
    ['a tail', file({ a: f32(0, 4, [1]) }, two), /bytes 4 to 8 of the data belong to no tensor/],
    [
      'a wrong size',
      file({ a: f32(0, 8, [3]) }, two),
      /'a', F32 \[3\], needs 12 bytes, but data_offsets \[0, 8\] hold 8/,
    ],
    ['reversed offsets', file({ a: f32(8, 0, [2]) }, two), /'a' has data_offsets \[8,0\]/],
    ['a negative size', file({ a: f32(0, 8, [-2]) }, two), /'a' has shape \[-2\]/],
    [
      'an unknown dtype',
      file({ a: { dtype: 'F8', shape: [8], data_offsets: [0, 8] } }, two),
      /'a' has dtype "F8"; readable are F32, F16/,
    ],
    ['a tensor that is no object', file({ a: 1 }, two), /tensor 'a' is not described by an object/],
    ['metadata that is no string', file({ __metadata__: { a: 1 } }, two), /__metadata__ 'a' is not a string/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'weights.bin')).toThrow(message);
  });
});

describe('writeSafetensors', () => {
  const a = { shape: [2], data: new Float32Array([1.5, -2]) };
  const b = { shape: [1, 3], data: new Int32Array([1, 2, 3]) };
  const h = { shape: [1], data: new Uint16Array([0x3c00]), dtype: 'F16' as const };

  test('what is written is read back', () => {
    const { tensors, metadata } = readSafetensors(
      writeSafetensors(
        tensorMap([
          ['b', b],
          ['a', a],
          ['h', h],
        ]),
        { k: 'v' },
      ),
    );
    expect(metadata).toEqual({ k: 'v' });
    expect([...tensors.keys()]).toEqual(['a', 'b', 'h']);
    expect(toFloat32(tensors.get('a')!)).toEqual(a.data);
    expect(toInt32(tensors.get('b')!)).toEqual(b.data);
    expect([...toFloat32(tensors.get('h')!)!]).toEqual([1]);
  });

  test('the same bytes in whatever order, data at a multiple of 8', () => {
    const one = writeSafetensors(
      tensorMap([
        ['a', a],
        ['b', b],
      ]),
      { x: '1', y: '2' },
    );
    const other = writeSafetensors(
      tensorMap([
        ['b', b],
        ['a', a],
      ]),
      { y: '2', x: '1' },
    );
    expect(one).toEqual(other);
    expect(Number(new DataView(one.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  test('values that do not fill the shape are refused', () => {
    expect(() => writeSafetensors(tensorMap([['a', { ...a, shape: [3] }]]))).toThrow(
      /'a' has 2 values for shape \[3\]/,
    );
  });
});
