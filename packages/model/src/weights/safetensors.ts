// The safetensors format: eight bytes with the header's length N (little-endian), N bytes of JSON
//   { "__metadata__"?: {string: string}, name: { "dtype", "shape", "data_offsets": [begin, end] } }
// and the data, which the tensors cover without gap or overlap; offsets count from the data's first byte.
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.ts';

/** Types of values that are read. */
export type SafetensorsDtype = 'F32' | 'F16' | 'BF16' | 'I32' | 'I64' | 'U8';

const BYTES_PER_VALUE: Readonly<Record<SafetensorsDtype, number>> = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1 };

/** A tensor of a file. */
export interface SafeTensor {
  /** Type of its values. */
  dtype: SafetensorsDtype;
  /** Sizes of its axes. */
  shape: number[];
  /** Its values as they lie in the file, little-endian. */
  bytes: Uint8Array;
}

/** What is in a file. */
export interface SafetensorsFile {
  /** By name. */
  tensors: Map<string, SafeTensor>;
  /** The header's `__metadata__`; empty where it has none. */
  metadata: Record<string, string>;
}

/** A file that is not sound safetensors; the message names the key or byte that is wrong. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/**
 * Reads a whole file. Tensors are views of `file`, not copies.
 *
 * @param label how messages call the file
 * @throws SafetensorsError for a truncated file, bad JSON, unknown dtype, or offsets that do not fit, overlap or leave gaps
 */
export function readSafetensors(file: Uint8Array, label = 'safetensors'): SafetensorsFile {
  const fail = (reason: string): never => {
    throw new SafetensorsError(`${label}: ${reason}`);
  };
  if (file.byteLength < 8) fail(`truncated: ${file.byteLength} bytes, but the header's length alone takes 8.`);
  const headerLength = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > file.byteLength - 8) {
    fail(
      `its first 8 bytes announce a header of ${headerLength} bytes, but only ${file.byteLength - 8} follow; ` +
        'the file is truncated, or not safetensors.',
    );
  }
  const header = parseHeader(file.subarray(8, 8 + headerLength), fail);
  const data = file.subarray(8 + headerLength);
  const tensors = new Map<string, SafeTensor>();
  const spans: { name: string; begin: number; end: number }[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = readMetadata(entry, fail);
      continue;
    }
    const { dtype, shape, begin, end } = readEntry(name, entry, fail);
    if (end > data.byteLength) {
      fail(
        `tensor '${name}' ends at byte ${end} of the data, which has ${data.byteLength}; ` +
          `the file is truncated (${file.byteLength} bytes, needs at least ${8 + headerLength + end}).`,
      );
    }
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
    spans.push({ name, begin, end });
  }
  checkCoverage(spans, data.byteLength, fail);
  return { tensors, metadata };
}

type Fail = (reason: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(
      `its header (bytes 8 to ${8 + bytes.byteLength}) is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return isRecord(header) ? header : fail('its header is not a JSON object.');
}

function readMetadata(entry: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(entry)) return fail('__metadata__ is not an object of strings.');
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') return fail(`__metadata__ '${key}' is not a string.`);
    metadata[key] = value;
  }
  return metadata;
}

function readEntry(
  name: string,
  entry: unknown,
  fail: Fail,
): { dtype: SafetensorsDtype; shape: number[]; begin: number; end: number } {
  if (!isRecord(entry)) return fail(`tensor '${name}' is not described by an object.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    return fail(
      `tensor '${name}' has dtype ${JSON.stringify(dtype)}; readable are ${Object.keys(BYTES_PER_VALUE).join(', ')}.`,
    );
  }
  if (!isSizes(shape))
    return fail(`tensor '${name}' has shape ${JSON.stringify(shape)}; it must be a list of whole numbers.`);
  if (!isSizes(offsets))
    return fail(`tensor '${name}' has data_offsets ${JSON.stringify(offsets)}; they must be [begin, end].`);
  const [begin, end] = offsets;
  if (offsets.length !== 2 || begin === undefined || end === undefined || begin > end) {
    return fail(
      `tensor '${name}' has data_offsets ${JSON.stringify(offsets)}; they must be [begin, end], begin at most end.`,
    );
  }
  const expected = sizeOf(shape) * BYTES_PER_VALUE[dtype];
  if (end - begin !== expected) {
    return fail(
      `tensor '${name}', ${dtype} [${shape.join(', ')}], needs ${expected} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}.`,
    );
  }
  return { dtype, shape, begin, end };
}

function checkCoverage(spans: { name: string; begin: number; end: number }[], length: number, fail: Fail): void {
  let covered = 0;
  let previous = '';
  for (const { name, begin, end } of spans.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) fail(`tensors '${previous}' and '${name}' overlap at byte ${begin} of the data.`);
    if (begin > covered)
      fail(`bytes ${covered} to ${begin} of the data, before tensor '${name}', belong to no tensor.`);
    [covered, previous] = [end, name];
  }
  if (covered !== length) fail(`bytes ${covered} to ${length} of the data belong to no tensor.`);
}

/** The values of a F32, F16 or BF16 tensor as float32 (exact); undefined for whole-number dtypes. */
export function toFloat32({ dtype, bytes }: SafeTensor): Float32Array | undefined {
  switch (dtype) {
    case 'F32':
      return new Float32Array(...aligned(bytes, 4));
    case 'F16':
      return float16ToFloat32(new Uint16Array(...aligned(bytes, 2)));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(...aligned(bytes, 2)));
    case 'I32':
    case 'I64':
    case 'U8':
      return undefined;
    default:
      dtype satisfies never;
      return undefined;
  }
}

/** The values of an I32 tensor; undefined for other dtypes. */
export function toInt32({ dtype, bytes }: SafeTensor): Int32Array | undefined {
  return dtype === 'I32' ? new Int32Array(...aligned(bytes, 4)) : undefined;
}

/** A buffer, an offset divisible by `size`, and a count of values; the bytes are copied only if they lie askew. */
function aligned(bytes: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  const { buffer, byteOffset, byteLength } = byteAligned(bytes, size);
  return [buffer, byteOffset, byteLength / size];
}

function byteAligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

/** Number of values of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(BYTES_PER_VALUE, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
