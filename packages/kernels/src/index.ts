/**
 * Hand-written WGSL kernels as a TensorFlow.js backend, on any GPUDevice. No Node import in here.
 * @module @thaw/kernels
 */
export { register, unregister, type RegisterOptions } from './backend/register.ts';
export { ThawBackend } from './backend/thaw-backend.ts';
export { describeAdapter, requestDevice, type AdapterDescription, type WantedLimit } from './runtime/device.ts';
export {
  DeviceLostError,
  DisposedError,
  NotOnGpuError,
  OutOfMemoryError,
  ShaderError,
  ThawGpuError,
} from './runtime/errors.ts';
export type { GpuOptions } from './runtime/gpu.ts';
export type { MatrixUnit, TiledKernel, Tiling, Tilings, Tuning } from './tuning/tilings.ts';
export type { Choice, Choices, TunedKernel, VariantName } from './tuning/tuned.ts';
export type { MemoryReport } from './runtime/buffer-pool.ts';
export type { DispatchTime, LayerPass } from './runtime/profile.ts';
export { registerCoreGradients } from './gradients/core-gradients.ts';
export { checkMatrixUnit, selfCheck, verifyMatrixUnit, type SelfCheckResult } from './self-check.ts';
export * from './ops/index.ts';
