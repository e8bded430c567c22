/**
 * The part of @thaw/data that needs Node: files, decoding, downloads. It has everything of `@thaw/data` too.
 * @module @thaw/data/node
 */

export * from './index.ts';
export { CIFAR10, CIFAR100, CifarDataset, readCifar, type CifarFormat, type CifarReadOptions } from './node/cifar.ts';
export { decodeImage, decodeImageFile, IMAGE_EXTENSIONS, isImageName } from './node/decode.ts';
export { download, type DownloadOptions, type DownloadProgress } from './node/download.ts';
export { FileDataset } from './node/file-dataset.ts';
export { fetchImage, isAddress, type FetchImageOptions } from './node/fetch-image.ts';
export { openImageFolder, type ImageFolderOptions } from './node/folder.ts';
export { checkHash, type ExpectedHash } from './node/hash.ts';
export { ensureCifar, openCifar10, openCifar100, type CifarOptions, type CifarSource } from './node/home.ts';
export {
  imageNamed,
  listedImages,
  namedImages,
  STDIN,
  type InputPlace,
  type NamedImage,
  type NamedImages,
} from './node/inputs.ts';
export { imageStream, type ImageStreamOptions, type NamedBatch } from './node/stream.ts';
export { type HubSource } from './node/hub.ts';
export { StoredDataset } from './node/stored/stored-dataset.ts';
export { openUnlabelled } from './node/unlabelled.ts';
export { type SplitName } from './node/split-names.ts';
export {
  DATASET_NAMES,
  openDataset,
  openSplit,
  type OpenedDataset,
  type OpenedSplit,
  type OpenOptions,
} from './node/open.ts';
