// Training and evaluation.
export { adaptBatchNorm, type AdaptOptions } from './adapt-batch-norm.ts';
export { CLASS_WEIGHTS, classWeights, type ClassWeighting } from './class-weights.ts';
export { coralLoss, type CoralRules } from './coral.ts';
export { Classifier, featureWidth } from './classifier.ts';
export {
  evaluateClassifier,
  evaluateFeatures,
  LEAST_FEATURE_BATCH,
  type Evaluation,
  type EvaluateOptions,
} from './evaluate.ts';
export { extractFeatures, featureBatches, type ExtractOptions } from './extract.ts';
export { findRate, type RatePoint, type RateTest, type RateTestOptions } from './find-rate.ts';
export { BackendRunner, headFeatures, type TrunkFeatures, type TrunkRunner } from './trunk-runner.ts';
export { checkMixRules, mixOf, type Mix, type MixRules } from './mix.ts';
export { METHODS, phases, type Method, type Phase, type PhaseRequest } from './phases.ts';
export { permutation } from './shuffle.ts';
export {
  imageFormat,
  type InputBatch,
  type InputFormat,
  type TargetFormat,
  type TrainingBatch,
} from './batch-input.ts';
export { Inference, type OnSmallerBatch } from './inference.ts';
export {
  BatchTooLargeError,
  beginStep,
  DivergedError,
  StepSums,
  trainStep,
  type StepInput,
  type StepOptions,
} from './step.ts';
export { StepRunner } from './step-runner.ts';
export { trainClassifier } from './train.ts';
export type * from './train-options.ts';
export { NOT_BEGUN } from './types.ts';
export type * from './types.ts';
