/** What the backend keeps of a tensor. */
import type { BackendValues, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import type { BufferSlice } from '../runtime/slice.ts';
import type { Precision } from '../wgsl/shader.ts';

export interface TensorRecord {
  readonly shape: readonly number[];
  readonly dtype: DataType;
  /** How the slice holds the numbers of a float32 tensor. */
  readonly precision: Precision;
  refCount: number;
  /** Host values, until the device has them. */
  values: BackendValues | undefined;
  slice: BufferSlice | undefined;
  /** What a read brought, good until a kernel changes the tensor in place or a captured step is replayed. */
  seen?: { readonly values: BackendValues; readonly replays: number } | undefined;
  /** Counts changes in place. */
  changes: number;
  /** Of a complex tensor, which has nothing else. */
  parts?: Parts;
}

export interface Parts {
  readonly real: TensorInfo;
  readonly imag: TensorInfo;
}
