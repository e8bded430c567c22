// Safetensors files, written: the format is described in safetensors.ts.
import { SafetensorsError, sizeOf, type SafetensorsDtype } from './safetensors.ts';

/** A tensor to write; its type follows from its array. */
export type SafetensorsInput =
  | {
      /** Sizes of its axes. */
      shape: readonly number[];
      /** Its values, row by row. */
      data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
    }
  /** Half-precision bits. */
  | {
      /** Sizes of its axes. */
      shape: readonly number[];
      /** Its values, row by row. */
      data: Uint16Array;
      /** Which half-precision it is. */
      dtype: 'F16' | 'BF16';
    };

/**
 * A safetensors file. The same tensors and metadata give the same bytes in whatever order they are passed: metadata and
 * tensors are sorted by name, data lies in the header's order, the header is padded with spaces to a multiple of 8.
 *
 * @throws SafetensorsError when a tensor's values do not fill its shape
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsInput>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  const sortedMetadata = Object.entries(metadata).sort(byName);
  if (sortedMetadata.length > 0) header['__metadata__'] = Object.fromEntries(sortedMetadata);
  const sorted = [...tensors].sort(([a], [b]) => byName([a], [b]));
  let offset = 0;
  for (const [name, tensor] of sorted) {
    const { shape, data } = tensor;
    if (name === '__metadata__') throw new SafetensorsError("A tensor cannot be called '__metadata__'.");
    if (sizeOf(shape) !== data.length) {
      throw new SafetensorsError(`Tensor '${name}' has ${data.length} values for shape [${shape.join(', ')}].`);
    }
    header[name] = { dtype: dtypeOf(tensor), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.byteLength / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let position = 8 + headerLength;
  for (const [, { data }] of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

function dtypeOf(tensor: SafetensorsInput): SafetensorsDtype {
  if ('dtype' in tensor) return tensor.dtype;
  const { data } = tensor;
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof BigInt64Array ? 'I64' : 'U8';
}

function byName([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
