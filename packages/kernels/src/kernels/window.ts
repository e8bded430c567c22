/** The geometry of a window that moves over an image or a volume, one name per quantity; an image is a volume of depth one. */
import type { backend_util } from '@tensorflow/tfjs-core';

export interface Window {
  readonly batch: number;
  readonly inD: number;
  readonly inH: number;
  readonly inW: number;
  readonly outD: number;
  readonly outH: number;
  readonly outW: number;
  readonly kD: number;
  readonly kH: number;
  readonly kW: number;
  readonly strideD: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationD: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padFront: number;
  readonly padTop: number;
  readonly padLeft: number;
}

export const windowOfImages = (info: backend_util.Conv2DInfo): Window => ({
  batch: info.batchSize,
  inD: 1,
  inH: info.inHeight,
  inW: info.inWidth,
  outD: 1,
  outH: info.outHeight,
  outW: info.outWidth,
  kD: 1,
  kH: info.filterHeight,
  kW: info.filterWidth,
  strideD: 1,
  strideH: info.strideHeight,
  strideW: info.strideWidth,
  dilationD: 1,
  dilationH: info.dilationHeight,
  dilationW: info.dilationWidth,
  padFront: 0,
  padTop: info.padInfo.top,
  padLeft: info.padInfo.left,
});

export const windowOfVolumes = (info: backend_util.Conv3DInfo): Window => ({
  batch: info.batchSize,
  inD: info.inDepth,
  inH: info.inHeight,
  inW: info.inWidth,
  outD: info.outDepth,
  outH: info.outHeight,
  outW: info.outWidth,
  kD: info.filterDepth,
  kH: info.filterHeight,
  kW: info.filterWidth,
  strideD: info.strideDepth,
  strideH: info.strideHeight,
  strideW: info.strideWidth,
  dilationD: info.dilationDepth,
  dilationH: info.dilationHeight,
  dilationW: info.dilationWidth,
  padFront: info.padInfo.front,
  padTop: info.padInfo.top,
  padLeft: info.padInfo.left,
});
