// @thaw/data, the part that needs Node: files, decoding, downloads.

export * from './index.ts';
export { openCifar10, openCifar100, type CifarOptions } from './node/home.ts';
export { CIFAR10, CIFAR100, CifarDataset, readCifar, type CifarFormat, type CifarReadOptions } from './node/cifar.ts';
