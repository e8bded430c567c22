/** In which precision a kernel of several tensors computes. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Precision } from '../wgsl/shader.ts';
import type { ThawBackend } from './thaw-backend.ts';

/** float16 where both are stored so, else float32: nothing is rounded that was not. */
export const commonPrecision = (backend: ThawBackend, a: TensorInfo, b: TensorInfo): Precision =>
  backend.precisionOf(a) === 'float16' ? backend.precisionOf(b) : 'float32';
