/** The shape of a convolution, one name per quantity, shared by all three directions. */
import { backend_util } from '@tensorflow/tfjs-core';

/** The shape of a convolution, channels last: x [batch, inH, inW, inC], filter [kH, kW, inC, outC], y [batch, outH, outW, outC]. */
export interface Conv2dShape {
  /** Images. */
  readonly batch: number;
  /** Height of x. */
  readonly inH: number;
  /** Width of x. */
  readonly inW: number;
  /** Channels of x. */
  readonly inC: number;
  /** Height of y. */
  readonly outH: number;
  /** Width of y. */
  readonly outW: number;
  /** Channels of y. */
  readonly outC: number;
  /** Height of the filter. */
  readonly kH: number;
  /** Width of the filter. */
  readonly kW: number;
  /** Rows of x from one row of y to the next. */
  readonly strideH: number;
  /** Columns of x from one column of y to the next. */
  readonly strideW: number;
  /** Rows of x from one tap to the next. */
  readonly dilationH: number;
  /** Columns of x from one tap to the next. */
  readonly dilationW: number;
  /** Rows of zeros above x. */
  readonly padTop: number;
  /** Columns of zeros left of x. */
  readonly padLeft: number;
}

/** Attributes of tfjs's Conv2D, Conv2DBackpropInput and Conv2DBackpropFilter. */
export interface Conv2dAttrs {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | [[number, number], [number, number], [number, number], [number, number]];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: [number, number] | number | null;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * Resolves tfjs's attributes for input [n, h, w, inC] and filter [kH, kW, inC, outC].
 * @throws on NCHW, on channel counts that do not agree, and on a filter that does not fit, naming both.
 */
export function conv2dShape(
  op: string,
  xShape: readonly number[],
  wShape: readonly number[],
  attrs: Conv2dAttrs,
): Conv2dShape {
  if ((attrs.dataFormat ?? 'NHWC') !== 'NHWC')
    throw new Error(`${op}: dataFormat ${attrs.dataFormat} is not supported; transpose the input to NHWC`);
  const [, , , xC = 0] = xShape;
  const [, , wC = 0] = wShape;
  if (xC !== wC) throw new Error(`${op}: the input has ${xC} channels and the filter expects ${wC}`);
  const info = backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    wShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  if (info.outHeight < 0 || info.outWidth < 0)
    throw new Error(
      `${op}: a filter of ${info.effectiveFilterHeight}x${info.effectiveFilterWidth} pixels, dilation included, does not ` +
        `fit into ${info.inHeight}x${info.inWidth} with its padding; use larger images or more padding`,
    );
  return {
    batch: info.batchSize,
    inH: info.inHeight,
    inW: info.inWidth,
    inC: info.inChannels,
    outH: info.outHeight,
    outW: info.outWidth,
    outC: info.outChannels,
    kH: info.filterHeight,
    kW: info.filterWidth,
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}
