/** @thaw/kernels/tuning: tables of tilings that were measured to win, for those who make and keep them. */
export type { Precision } from './wgsl/shader.ts';
export { candidates, currentFingerprints } from './tuning/families.ts';
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
