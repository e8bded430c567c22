/** Host values of tensors and their device form: a bool is a u32 on the device and a byte on the host. */
import type { DataType } from '@tensorflow/tfjs-core';
import type { DeviceType } from '../runtime/plan.ts';

export type HostValues = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Device type of host values: a float16 tensor is made on the device alone. */
export type HostType = Exclude<DeviceType, 'float16'>;

/** @throws for dtypes that have no numeric form on the device. */
export function deviceType(dtype: DataType): HostType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`the thaw backend computes with float32, int32 and bool, not ${dtype}`);
}

const isOwn = (values: ArrayBufferView): values is ArrayBufferView<ArrayBuffer> => values.buffer instanceof ArrayBuffer;

/** The bytes to upload for `values`. */
export function toDevice(values: ArrayLike<number>, dtype: HostType): ArrayBufferView<ArrayBuffer> {
  if (dtype === 'float32') return values instanceof Float32Array && isOwn(values) ? values : Float32Array.from(values);
  return values instanceof Int32Array && isOwn(values) ? values : Int32Array.from(values);
}

/** The host form of `bytes`, of which the first `length` elements count. */
export function fromDevice(bytes: ArrayBuffer, length: number, dtype: HostType): HostValues {
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes, 0, length);
    case 'int32':
      return new Int32Array(bytes, 0, length);
    case 'bool':
      return Uint8Array.from(new Int32Array(bytes, 0, length));
    default:
      throw new Error(`unknown dtype ${String(dtype satisfies never)}`);
  }
}
