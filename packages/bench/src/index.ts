/**
 * Measures training steps and kernels, verified against other engines before any time is taken.
 * @module @thaw/bench
 */
export { ENGINE_NAMES, type Engine, type EngineName } from './engines/engine.ts';
export { openEngine } from './engines/open.ts';
export { thawEngine } from './engines/thaw.ts';
export {
  benchStep,
  canRun,
  FORWARD_TOLERANCE,
  stepTolerance,
  type BenchStepOptions,
  type StepRow,
} from './bench-step.ts';
export {
  benchBrowser,
  type BenchBrowserOptions,
  type BrowserEnvironment,
  type BrowserResult,
} from './bench-browser.ts';
export { BROWSER_CASES, BROWSER_PEERS } from './browser/spec.ts';
export { BrowserError, findBrowser, GRAPHICS, NoBrowserError, type Graphics } from './browser.ts';
export { benchKernels, type BenchKernelsOptions } from './bench-kernels.ts';
export { summariseKernels, type FamilySummary, type KernelRow } from './measure/kernel-rows.ts';
export { benchCold, summariseCold, type BenchColdOptions, type ColdRow, type ColdStart } from './bench-cold.ts';
export { COLD_PHASES, type ColdPhase } from './cold/child.ts';
export type { ColdEngineName } from './cold/start.ts';
export { benchScaling, type BenchScalingOptions, type RankFigures, type ScalingRow } from './scaling/rank.ts';
export { stepGradients, type Bucket, type StepGradients } from './scaling/gradients.ts';
export {
  ALGORITHMS,
  allReduceSeconds,
  predictScaling,
  type Algorithm,
  type Link,
  type ScalingModel,
  type ScalingPrediction,
  type Staging,
} from './scaling/model.ts';
export { measureCeilings } from './ceilings/ceilings.ts';
export { tune, type TunedBucket, type TuneOptions } from './tune.ts';
export { exportStep } from './export-step.ts';
export {
  profileStep,
  type ProfiledDispatch,
  type ProfileOptions,
  type ProfileRow,
  type StepProfile,
} from './profile-step.ts';
export { KERNEL_CASES, type KernelCase, type KernelWork } from './workloads/kernel-cases.ts';
export { STEP_CASES, type StepCase, type StepSpec } from './workloads/step.ts';
export { DisagreementError, relativeDifference, type Agreement } from './measure/agreement.ts';
export { geometricMean, spread, type Ceilings, type Spread } from './measure/statistics.ts';
