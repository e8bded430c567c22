// The trunk in segments, the stem and each block: one tensor passes from each to the next.
import { layer, maxPool2d } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { stemPoolPadding, type ConvSpec, type TrunkSpec, type Variant } from '../resnet50/index.ts';
import { Block, type RunOptions } from './block.ts';
import type { ConvUnit } from './conv-unit.ts';

export interface Segment {
  /** The last layer in it. */
  readonly output: string;
  /** @returns a new tensor; x stays the caller's */
  run(x: tf.Tensor4D, options: RunOptions): tf.Tensor4D;
  dispose(): void;
}

/** Stem first, then each block. */
export function makeSegments(trunk: TrunkSpec, makeUnit: (spec: ConvSpec) => ConvUnit): Segment[] {
  const blocks = trunk.blocks.map((spec) => new Block(spec, makeUnit));
  return [new Stem(trunk, makeUnit), ...blocks];
}

/** conv1 and its max-pool. */
class Stem implements Segment {
  readonly output = 'pool1_pool';
  readonly #variant: Variant;
  readonly #unit: ConvUnit;

  constructor({ stem, variant }: TrunkSpec, makeUnit: (spec: ConvSpec) => ConvUnit) {
    this.#variant = variant;
    this.#unit = makeUnit(stem);
  }

  run(x: tf.Tensor4D, { release, ...how }: RunOptions): tf.Tensor4D {
    const convolved = this.#unit.run(x, { relu: true, ...how });
    const [, height, width] = convolved.shape;
    const pad: [[number, number], [number, number]] = [
      stemPoolPadding(this.#variant, height),
      stemPoolPadding(this.#variant, width),
    ];
    const y = layer(this.output, () => maxPool2d(convolved, { size: [3, 3], strides: [2, 2], pad }));
    if (release) convolved.dispose();
    return y;
  }

  dispose(): void {
    this.#unit.dispose();
  }
}

/** The convolutions of every segment: stem first, then each block. */
export function segmentSpecs({ stem, blocks }: TrunkSpec): ConvSpec[][] {
  return [[stem], ...blocks.map(({ convs, shortcut }) => (shortcut ? [...convs, shortcut] : [...convs]))];
}

/** Runs segments one after the other. @returns a new tensor, also where there are none */
export function runAll(segments: readonly Segment[], input: tf.Tensor4D, options: RunOptions): tf.Tensor4D {
  return tf.tidy(() => {
    let x = tf.clone(input);
    for (const segment of segments) {
      const y = segment.run(x, options);
      if (options.release) x.dispose();
      x = y;
    }
    return x;
  });
}
