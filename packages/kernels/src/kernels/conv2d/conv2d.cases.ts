/** Named shapes for the tests and the benchmark of all three directions: edges, primes and ResNet-50's own layers. */
import type { Conv2dShape } from './shape.ts';

/** A shape under a name. */
export interface Conv2dCase {
  /** As tests and tables print it. */
  readonly name: string;
  /** The shape. */
  readonly shape: Conv2dShape;
}

interface Options {
  readonly stride?: number;
  readonly pad?: number;
  readonly dilation?: number;
  readonly kW?: number;
  readonly inW?: number;
}

function conv(
  name: string,
  batch: number,
  size: number,
  inC: number,
  outC: number,
  k: number,
  o: Options = {},
): Conv2dCase {
  const { stride = 1, pad = 0, dilation = 1, kW = k, inW = size } = o;
  const out = (length: number, taps: number) => Math.floor((length + 2 * pad - (taps - 1) * dilation - 1) / stride) + 1;
  return {
    name,
    shape: {
      batch, inH: size, inW, inC, outH: out(size, k), outW: out(inW, kW), outC, kH: k, kW,
      strideH: stride, strideW: stride, dilationH: dilation, dilationW: dilation, padTop: pad, padLeft: pad,
    }, // prettier-ignore
  };
}

export const edgeCases: readonly Conv2dCase[] = [
  conv('one of everything', 1, 1, 1, 1, 1),
  conv('primes', 3, 7, 5, 11, 3, { pad: 1 }),
  conv('primes, stride 2', 2, 11, 3, 7, 3, { stride: 2, pad: 1 }),
  conv('primes, dilation 2', 2, 13, 5, 3, 3, { dilation: 2, pad: 2 }),
  conv('stride 3 larger than the kernel', 5, 11, 7, 5, 2, { stride: 3 }),
  conv('flat and wide', 2, 5, 3, 17, 3, { kW: 1, inW: 19, pad: 1 }),
  conv('more columns than a tile', 1, 3, 13, 131, 1),
  conv('more rows than a tile', 37, 5, 2, 3, 3, { pad: 1 }),
  // Output channels in fours, for kernels that read four at a time.
  conv('columns in fours', 3, 7, 5, 12, 3, { pad: 1 }),
  conv('columns in fours, stride 2', 5, 11, 3, 28, 3, { stride: 2, pad: 1 }),
  conv('columns in fours, stride 3 and dilation 2', 2, 13, 37, 4, 3, { stride: 3, dilation: 2, pad: 2 }),
  conv('columns in fours, more than a tile', 19, 3, 13, 132, 1),
  // Both in fours, for kernels that read four of either at a time.
  conv('channels in fours', 3, 7, 20, 12, 3, { pad: 1 }),
  conv('channels in fours, stride 2', 41, 5, 36, 68, 3, { stride: 2, pad: 1 }),
  conv('channels in fours, stride 3 and dilation 2', 2, 13, 4, 140, 3, { stride: 3, dilation: 2, pad: 2 }),
];

/** Both channels in eights, for matrix units, which read eight halves at a time. */
export const matrixCases: readonly Conv2dCase[] = [
  conv('one pixel, eight channels', 1, 1, 8, 8, 1),
  conv('channels in eights', 3, 7, 24, 40, 3, { pad: 1 }),
  conv('channels in eights, stride 2', 41, 5, 40, 72, 3, { stride: 2, pad: 1 }),
  conv('channels in eights, stride 3 and dilation 2', 2, 13, 8, 136, 3, { stride: 3, dilation: 2, pad: 2 }),
  conv('channels in eights, stride 3 larger than the kernel', 5, 11, 48, 8, 2, { stride: 3 }),
  conv('channels in eights, flat and wide', 2, 5, 16, 24, 3, { kW: 1, inW: 19, pad: 1 }),
  conv('channels in eights, one pixel to each of many images', 67, 1, 56, 24, 3, { pad: 1 }),
];

/** Channels of x that do not come in fours and of y that do, taps that are neighbours: for kernels whose depth is flat. */
export const flatCases: readonly Conv2dCase[] = [
  conv('one pixel, one channel', 1, 1, 1, 4, 1),
  conv('one channel, stride 2', 3, 9, 1, 8, 5, { stride: 2, pad: 2 }),
  conv('windows of one number', 37, 5, 1, 4, 1),
  conv('windows of two numbers, flat and wide', 2, 5, 2, 12, 3, { kW: 1, inW: 19, pad: 1 }),
  conv('windows of three numbers, stride 3 larger than the kernel', 5, 11, 3, 20, 1, { stride: 3 }),
  conv('five channels', 3, 7, 5, 12, 3, { pad: 1 }),
  conv('windows outside of the image', 2, 3, 3, 8, 2, { pad: 3 }),
  conv('many small images', 67, 3, 3, 68, 3, { stride: 2, pad: 1 }),
  conv('more rows of the filter than a tile', 2, 9, 6, 12, 7, { pad: 3 }),
  conv('more columns than a tile', 19, 3, 13, 132, 1),
  conv('a stem at odd sizes', 2, 45, 3, 64, 7, { stride: 2, pad: 3, inW: 33 }),
  dilatedDown(conv('dilated along the columns alone', 2, 13, 3, 8, 3, { pad: 2 })),
];

/** A case of a filter of 3 rows, with these two apart. */
function dilatedDown({ name, shape }: Conv2dCase): Conv2dCase {
  return { name, shape: { ...shape, dilationH: 2, outH: shape.outH - 2 } };
}

/** The 1x1, 3x3 and projection layers of ResNet-50's four stages at a square input, and its stem. */
export function resnet50Cases(imageSize: number, batch: number): readonly Conv2dCase[] {
  const stages = [64, 128, 256, 512].flatMap((width, stage) => {
    const size = imageSize / 4 / 2 ** stage;
    const inC = stage === 0 ? 64 : 2 * width;
    const before = stage === 0 ? size : 2 * size;
    const stride = stage === 0 ? 1 : 2;
    const at = `conv${stage + 2} at ${imageSize}`;
    return [
      conv(`${at}: 1x1 projection`, batch, before, inC, 4 * width, 1, { stride }),
      conv(`${at}: 1x1 first, strided`, batch, before, inC, width, 1, { stride }),
      conv(`${at}: 1x1 reduce`, batch, size, 4 * width, width, 1),
      conv(`${at}: 3x3`, batch, size, width, width, 3, { pad: 1 }),
      ...(stage === 0 ? [] : [conv(`${at}: 3x3 strided`, batch, before, width, width, 3, { stride: 2, pad: 1 })]),
      conv(`${at}: 1x1 expand`, batch, size, width, 4 * width, 1),
    ];
  });
  return [conv(`stem at ${imageSize}`, batch, imageSize, 3, 64, 7, { stride: 2, pad: 3 }), ...stages];
}
