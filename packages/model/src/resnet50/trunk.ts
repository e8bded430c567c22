// The trunk as blocks: what convolutions there are, and how they are joined. The layer table, the weight files' names and
// the network are all derived from this one description; widths and depths are parameters, so tests can build a tiny one.
import type { Variant } from './variants.ts';

/** Widths and depths of a residual network. */
export interface Architecture {
  /** Channels of the 7x7 stem. */
  readonly stemWidth: number;
  /** A block's output has this many times its inner width. */
  readonly expansion: number;
  /** From the lowest to the highest. */
  readonly stages: readonly {
    /** As `conv2`. */
    readonly name: string;
    /** Number of blocks. */
    readonly blocks: number;
    /** Channels inside a block. */
    readonly width: number;
    /** Of the first block. */
    readonly stride: 1 | 2;
  }[];
}

/** ResNet-50's own: 3, 4, 6 and 3 blocks. */
export const RESNET50: Architecture = {
  stemWidth: 64,
  expansion: 4,
  stages: [
    { name: 'conv2', blocks: 3, width: 64, stride: 1 },
    { name: 'conv3', blocks: 4, width: 128, stride: 2 },
    { name: 'conv4', blocks: 6, width: 256, stride: 2 },
    { name: 'conv5', blocks: 3, width: 512, stride: 2 },
  ],
};

/** A convolution and the batch-norm behind it. */
export interface ConvSpec {
  /** Layer names, as `conv2_block1_1_conv` and `conv2_block1_1_bn`. */
  readonly conv: string;
  /** Name of the batch-norm layer. */
  readonly bn: string;
  /** Filter height and width. */
  readonly size: number;
  /** Both ways, pixels. */
  readonly stride: number;
  /** Zero pixels on each side. */
  readonly pad: number;
  /** Of its input. */
  readonly inChannels: number;
  /** Of its output. */
  readonly outChannels: number;
}

/** A bottleneck: relu(conv3(relu(conv2(relu(conv1(x))))) + shortcut(x)), a batch-norm behind each convolution. */
export interface BlockSpec {
  /** As `conv2_block1`. */
  readonly name: string;
  /** As `conv2`. */
  readonly stage: string;
  /** In order: 1x1, 3x3, 1x1. */
  readonly convs: readonly [ConvSpec, ConvSpec, ConvSpec];
  /** In the first block of a stage; elsewhere the shortcut is the identity. */
  readonly shortcut: ConvSpec | undefined;
  /** Name of its last layer. */
  readonly output: string;
}

/** All convolutions of a trunk. */
export interface TrunkSpec {
  /** Which of the three ResNet-50s. */
  readonly variant: Variant;
  /** The 7x7 convolution in front. */
  readonly stem: ConvSpec;
  /** In order. */
  readonly blocks: readonly BlockSpec[];
  /** Channels of the last block's output. */
  readonly channels: number;
}

/** The blocks of a variant's trunk. */
export function describeTrunk(variant: Variant, architecture: Architecture = RESNET50): TrunkSpec {
  const { stemWidth, expansion, stages } = architecture;
  const stem = convSpec('conv1', 7, 2, 3, stemWidth);
  const blocks: BlockSpec[] = [];
  let channels = stemWidth;
  for (const { name: stage, blocks: count, width, stride: stageStride } of stages) {
    for (let number = 1; number <= count; number++) {
      const name = `${stage}_block${number}`;
      const stride = number === 1 ? stageStride : 1;
      const outChannels = width * expansion;
      const firstStride = variant.strideOn === 'first-1x1' ? stride : 1;
      blocks.push({
        name,
        stage,
        convs: [
          convSpec(`${name}_1`, 1, firstStride, channels, width),
          convSpec(`${name}_2`, 3, stride / firstStride, width, width),
          convSpec(`${name}_3`, 1, 1, width, outChannels),
        ],
        shortcut: number === 1 ? convSpec(`${name}_0`, 1, stride, channels, outChannels) : undefined,
        output: `${name}_out`,
      });
      channels = outChannels;
    }
  }
  return { variant, stem, blocks, channels };
}

function convSpec(name: string, size: number, stride: number, inChannels: number, outChannels: number): ConvSpec {
  return { conv: `${name}_conv`, bn: `${name}_bn`, size, stride, pad: (size - 1) / 2, inChannels, outChannels };
}

/** Output length of a convolution or pool along one axis. */
export function outputLength(input: number, size: number, stride: number, padBefore: number, padAfter: number): number {
  return Math.floor((input + padBefore + padAfter - size) / stride) + 1;
}

/** Padding [before, after] of the stem's 3x3 stride-2 max-pool along an axis of `length` pixels. */
export function stemPoolPadding(variant: Variant, length: number): [number, number] {
  if (variant.stemPool === 'symmetric') return [1, 1];
  const total = Math.max(0, (Math.ceil(length / 2) - 1) * 2 + 3 - length);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
