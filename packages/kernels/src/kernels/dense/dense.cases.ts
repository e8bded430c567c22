/** Dense layers: ones, primes, and those of the heads at their batch sizes. */
import type { DenseShape } from './dense.plan.ts';

export interface DenseCase {
  readonly name: string;
  readonly shape: DenseShape;
}

const layer = (name: string, rows: number, inputs: number, outputs: number, relu = false): DenseCase => ({
  name,
  shape: { rows, inputs, outputs, relu },
});

export const cases = [
  layer('one of everything', 1, 1, 1),
  layer('primes', 7, 13, 5, true),
  layer('more columns than a tile, primes', 3, 29, 67),
  layer("the article's first", 32, 2048, 32, true),
  layer("the article's last", 32, 8, 10),
  layer('linear, a short batch', 5, 2048, 10),
  layer("ImageNet's top", 2, 2048, 1001),
] as const satisfies readonly DenseCase[];
