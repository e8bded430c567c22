// The public ops: one hand-written kernel each on the thaw backend, composed of tfjs-core ops on any other.
export { conv2d, type Conv2DAttributes, type Conv2DOptions, type Padding, type Pair } from './conv2d.ts';
export { scaleShift, type ScaleShiftAttributes, type ScaleShiftOptions } from './scale-shift.ts';
export {
  batchNormTrain,
  type BatchNormTrainAttributes,
  type BatchNormTrainOptions,
  type BatchNormTrainResult,
  type MovingStatistics,
} from './batch-norm-train.ts';
export { batchNormSync, type BatchNormSync } from './batch-norm-sync.ts';
export { maxPool2d, type MaxPool2DOptions } from './max-pool.ts';
export { globalAveragePool } from './global-average-pool.ts';
export { dense, type DenseOptions } from './dense.ts';
export { softmaxCrossEntropy, type SoftmaxCrossEntropyOptions } from './softmax-cross-entropy.ts';
export { layer, watchLayers } from './layer.ts';
export { accumulate } from './accumulate.ts';
export { assignValues } from './assign-values.ts';
export { canCapture, capture, type CapturedStep } from './capture.ts';
export { emptyTensor, exchange, type Swap } from './exchange.ts';
export { dropout, type DropoutAttributes } from './dropout.ts';
export { hasFloat16, toFloat16 } from './to-float16.ts';
export { imageViews, packViews, VIEW_LENGTH, type ImageView, type Normalisation } from './image-views.ts';
export { toFloat32 } from './to-float32.ts';
export { LossScale, type LossScaleRule, type LossScaleState } from './loss-scale.ts';
export { HostVector } from './host-vector.ts';
export { movingAverageStep, swapValues } from './moving-average.ts';
export {
  adamRates,
  adamScaledRates,
  adamStep,
  sgdStep,
  type AdamAttributes,
  type AdamSchedule,
  type AdamTensors,
  type SgdAttributes,
  type SgdOptions,
  type SgdTensors,
} from './optimizer-steps.ts';
