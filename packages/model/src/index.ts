// @thaw/model: ResNet-50 with ImageNet weights, on any TensorFlow.js backend. Nothing here reads files or opens devices.
export * from './resnet50/index.ts';
export * from './freeze/index.ts';
export * from './weights/index.ts';
export * from './network/index.ts';
