// The network on a TensorFlow.js backend.
export { foldBatchNorm } from './fold.ts';
export { ResNet50, type PartOptions, type ResNet50Options } from './resnet50.ts';
export { MOMENTUM } from './conv-unit.ts';
export { poolMap, type Pooling } from './pooling.ts';
export { checkPrecision, type Precision } from './precision.ts';
