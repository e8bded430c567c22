// A bottleneck block: relu(unit3(relu(unit2(relu(unit1(x))))) + shortcut(x)).
import type * as tf from '@tensorflow/tfjs-core';
import type { BlockSpec, ConvSpec } from '../resnet50/index.ts';
import type { ConvUnit, UnitOptions } from './conv-unit.ts';

export interface RunOptions extends Pick<UnitOptions, 'training' | 'filterOf' | 'sync'> {
  /** Disposes each intermediate after its last use; false on a tape, which keeps them anyhow. */
  release: boolean;
}

export class Block {
  /** Name of its last layer. */
  readonly output: string;
  readonly #units: readonly [ConvUnit, ConvUnit, ConvUnit];
  readonly #shortcut: ConvUnit | undefined;

  constructor(spec: BlockSpec, makeUnit: (spec: ConvSpec) => ConvUnit) {
    this.output = spec.output;
    const [first, second, third] = spec.convs;
    this.#units = [makeUnit(first), makeUnit(second), makeUnit(third)];
    this.#shortcut = spec.shortcut && makeUnit(spec.shortcut);
  }

  /** @returns a new tensor; x stays the caller's */
  run(x: tf.Tensor4D, { release, ...how }: RunOptions): tf.Tensor4D {
    const [first, second, third] = this.#units;
    const done = (...tensors: tf.Tensor[]): void => {
      if (release) for (const tensor of tensors) tensor.dispose();
    };
    const narrow = first.run(x, { relu: true, ...how });
    const inner = second.run(narrow, { relu: true, ...how });
    done(narrow);
    const residual = this.#shortcut ? this.#shortcut.run(x, { relu: false, ...how }) : x;
    const y = third.run(inner, { relu: true, residual, ...how });
    done(inner);
    if (this.#shortcut) done(residual);
    return y;
  }

  dispose(): void {
    for (const unit of this.#units) unit.dispose();
    this.#shortcut?.dispose();
  }
}
