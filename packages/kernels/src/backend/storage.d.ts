/** Host values of tensors and their device form: a bool is a u32 on the device and a byte on the host. */
import type { DataType } from '@tensorflow/tfjs-core';
import type { DeviceType } from '../runtime/plan.ts';
export type HostValues = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
/** @throws for dtypes that have no numeric form on the device. */
export declare function deviceType(dtype: DataType): DeviceType;
/** The bytes to upload for `values`. */
export declare function toDevice(values: ArrayLike<number>, dtype: DeviceType): ArrayBufferView<ArrayBuffer>;
/** The host form of `bytes`, of which the first `length` elements count. */
export declare function fromDevice(bytes: ArrayBuffer, length: number, dtype: DeviceType): HostValues;
