// The public ops: one hand-written kernel each on the thaw backend, composed of tfjs-core ops on any other.
export { conv2d, type Conv2DAttributes, type Conv2DOptions, type Padding, type Pair } from './conv2d.ts';
export { scaleShift, type ScaleShiftAttributes, type ScaleShiftOptions } from './scale-shift.ts';
export {
  batchNormTrain,
  type BatchNormTrainAttributes,
  type BatchNormTrainOptions,
  type BatchNormTrainResult,
} from './batch-norm-train.ts';
export { maxPool2d, type MaxPool2DOptions } from './max-pool.ts';
export { globalAveragePool } from './global-average-pool.ts';
export { dense, type DenseOptions } from './dense.ts';
export { softmaxCrossEntropy } from './softmax-cross-entropy.ts';
export {
  adamStep,
  sgdStep,
  type AdamAttributes,
  type AdamOptions,
  type AdamTensors,
  type SgdAttributes,
  type SgdOptions,
  type SgdTensors,
} from './optimizer-steps.ts';
