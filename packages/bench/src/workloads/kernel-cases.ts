// The kernels of a training step one by one: ResNet-50's convolutions in three directions, batch-norm, dense, the optimizer.
import { resnet50Cases, type Conv2dShape } from '@thaw/kernels/cases';
import type { Precision } from '@thaw/kernels/tuning';
import type { Work } from '../measure/statistics.ts';

/** One kernel on one shape. */
export type KernelWork =
  | {
      /** Which kernel. */
      readonly op: 'conv2d' | 'conv2d-backward-input' | 'conv2d-backward-filter';
      /** Of the convolution, or [batch, height, width, channels] of what is normalised. */
      readonly shape: Conv2dShape;
    }
  | {
      /** Which kernel. */
      readonly op: 'batch-norm-train';
      /** Of the convolution, or [batch, height, width, channels] of what is normalised. */
      readonly shape: readonly [number, number, number, number];
    }
  | {
      /** Which kernel. */
      readonly op: 'dense';
      /** Rows. */
      readonly batch: number;
      /** Columns of the input. */
      readonly inputs: number;
      /** Columns of the output. */
      readonly outputs: number;
    }
  | {
      /** Which kernel. */
      readonly op: 'adam';
      /** Parameters. */
      readonly size: number;
    };

/** A kernel on a shape, named. */
export interface KernelCase {
  /** As the table prints it. */
  readonly name: string;
  /** What is computed. */
  readonly work: KernelWork;
  /** Of the network that has this layer; undefined where none decides. */
  readonly imageSize?: number;
}

/** Image sizes and batches of the convolutions and batch-norms. */
const SIZES = [
  [32, 32],
  [224, 4],
] as const;

/** The kernels of ResNet-50's training step, on its own shapes at 32x32 and at 224x224. */
export const KERNEL_CASES: readonly KernelCase[] = [
  ...SIZES.flatMap(([imageSize, batch]) => {
    const convolutions = resnet50Cases(imageSize, batch);
    return (['conv2d', 'conv2d-backward-input', 'conv2d-backward-filter'] as const).flatMap((op) =>
      convolutions.map(({ name, shape }): KernelCase => ({ name: `${op}, ${name}`, work: { op, shape }, imageSize })),
    );
  }),
  ...SIZES.flatMap(([imageSize, batch]) =>
    [64, 256, 512, 1024, 2048].map((channels, stage): KernelCase => {
      const size = imageSize / 2 ** (stage + 1);
      return {
        name: `batch-norm-train forward and backward, ${size} x ${size} x ${channels} at ${imageSize}`,
        work: { op: 'batch-norm-train', shape: [batch, size, size, channels] },
        imageSize,
      };
    }),
  ),
  { name: 'dense, 32 x 2048 to 1000', work: { op: 'dense', batch: 32, inputs: 2048, outputs: 1000 } },
  { name: 'adam, 2,359,296 parameters', work: { op: 'adam', size: 3 * 3 * 512 * 512 } },
];

/** Taps inside the image, summed over the outputs of one dimension: the multiplications that are not by padding. */
export function tapsInside(
  size: number,
  out: number,
  k: number,
  stride: number,
  dilation: number,
  pad: number,
): number {
  let taps = 0;
  for (let o = 0; o < out; o++)
    for (let t = 0; t < k; t++) {
      const at = o * stride - pad + t * dilation;
      if (at >= 0 && at < size) taps++;
    }
  return taps;
}

/**
 * What a kernel has to do at least: operations on pixels inside the image, and every tensor once.
 * @param precision in which activations and filters are stored; a filter's gradient, the dense layer and the optimizer are float32
 */
export function workOf(work: KernelWork, precision: Precision = 'float32'): Work {
  const stored = precision === 'float16' ? 2 : 4;
  switch (work.op) {
    case 'conv2d':
    case 'conv2d-backward-input':
    case 'conv2d-backward-filter': {
      const s = work.shape;
      const taps =
        tapsInside(s.inH, s.outH, s.kH, s.strideH, s.dilationH, s.padTop) *
        tapsInside(s.inW, s.outW, s.kW, s.strideW, s.dilationW, s.padLeft);
      const activations = s.batch * (s.inH * s.inW * s.inC + s.outH * s.outW * s.outC);
      const filterBytes = (work.op === 'conv2d-backward-filter' ? 4 : stored) * s.kH * s.kW * s.inC * s.outC;
      return { flops: 2 * s.batch * taps * s.inC * s.outC, bytes: stored * activations + filterBytes };
    }
    case 'batch-norm-train': {
      const size = work.shape.reduce((product, length) => product * length, 1);
      // Forward reads x and writes y; backward reads dy, x and y and writes dx. Some 20 operations an element.
      return { flops: 20 * size, bytes: stored * 6 * size };
    }
    case 'dense': {
      const { batch, inputs, outputs } = work;
      return { flops: 2 * batch * inputs * outputs, bytes: 4 * (batch * inputs + inputs * outputs + batch * outputs) };
    }
    case 'adam':
      // Reads value, gradient, m and v; writes value, m and v.
      return { flops: 12 * work.size, bytes: 4 * 7 * work.size };
    default:
      throw new Error(`unknown kernel ${JSON.stringify(work satisfies never)}`);
  }
}

/** Length of the longest sum, which decides how far rounding can part two engines. */
export function termsOf(work: KernelWork): number {
  switch (work.op) {
    case 'conv2d':
      return work.shape.kH * work.shape.kW * work.shape.inC;
    case 'conv2d-backward-input':
      return work.shape.kH * work.shape.kW * work.shape.outC;
    case 'conv2d-backward-filter':
      return work.shape.batch * work.shape.outH * work.shape.outW;
    case 'batch-norm-train':
      return work.shape[0] * work.shape[1] * work.shape[2];
    case 'dense':
      return work.inputs;
    case 'adam':
      return 1;
    default:
      throw new Error(`unknown kernel ${JSON.stringify(work satisfies never)}`);
  }
}
