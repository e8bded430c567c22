// NumPy's .npy format, version 1.0, for float32 and int32 arrays.

/** @param shape of `data`, row-major */
export function encodeNpy(data: Float32Array | Int32Array, shape: readonly number[]): Uint8Array {
  const kind = data instanceof Float32Array ? '<f4' : '<i4';
  const size = shape.length === 1 ? `(${shape[0] ?? 0},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${size}, }`;
  // Magic, version and length take 10 bytes; the header ends in a newline at a multiple of 64.
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
  const bytes = new Uint8Array(10 + padded.length + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), 10);
  const values = new DataView(bytes.buffer, 10 + padded.length);
  data.forEach((value, i) =>
    kind === '<f4' ? values.setFloat32(4 * i, value, true) : values.setInt32(4 * i, value, true),
  );
  return bytes;
}
