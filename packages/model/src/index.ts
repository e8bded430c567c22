/**
 * ResNet-50 with ImageNet weights, on any TensorFlow.js backend. Nothing here reads files or opens devices.
 * @module @thaw/model
 */
export * from './resnet50/index.ts';
export * from './freeze/index.ts';
export * from './weights/index.ts';
export * from './network/index.ts';
export { createHead, Head, parseHeadSpec, type HeadOptions, type HeadSpec } from './head/head.ts';
export { gradCam, type GradCam } from './explain/grad-cam.ts';
export { calibration, type Calibration, type CalibrationBin } from './metrics/calibration.ts';
export { accuracy, confusionMatrix, macroF1, perClass, type ClassMetrics } from './metrics/metrics.ts';
export type { LossScaling } from './optimizers/loss-scaling.ts';
export {
  Optimizer,
  type AdamConfig,
  type OptimizerConfig,
  type OptimizerState,
  type SgdConfig,
} from './optimizers/optimizer.ts';
export { rateGroups, type GroupOf, type RateGroup, type RateRules } from './optimizers/rate-groups.ts';
export { rateShare, SCHEDULES, type Schedule, type ScheduleKind } from './optimizers/schedule.ts';
export { WeightAverage } from './optimizers/weight-average.ts';
export { gradientBuckets } from './parallel/buckets.ts';
export {
  GRADIENT_COMPRESSIONS,
  GradientExchange,
  type GradientCompression,
  type Gradients,
} from './parallel/gradient-exchange.ts';
export type { Group } from './parallel/group.ts';
export { OtherRankError, shareOf } from './parallel/shares.ts';
export { globalBatch, stepShareOf, type Place } from './parallel/step-share.ts';
export * from './training/index.ts';
export * from './classical/index.ts';
export { gridPoints, randomPoints, type Axis, type Point } from './search/search.ts';
