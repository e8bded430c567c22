/**
 * Tables of tilings that were measured to win, for those who make and keep them.
 * @module @thaw/kernels/tuning
 */
export type { Precision } from './wgsl/shader.ts';
export type { Limits } from './runtime/plan.ts';
export type { DeviceKind, MatrixUnit, Tuning } from './tuning/tilings.ts';
export { candidates, currentFingerprints, isFlat } from './tuning/families.ts';
export { shippedChoices, shippedTables } from './tuning/shipped.ts';
export {
  convolutionBucket,
  fittingChoices,
  TUNED_KERNELS,
  VARIANTS,
  type Choice,
  type Choices,
  type TunedDevice,
  type TunedKernel,
  type TuningTable,
  type VariantName,
} from './tuning/tuned.ts';
