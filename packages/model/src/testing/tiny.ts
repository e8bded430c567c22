// A network of the same blocks, small enough for tfjs-cpu and finite differences: widths 2 and 3, three blocks.
import type { Architecture } from '../resnet50/index.ts';
import type { WeightTensor } from '../weights/index.ts';

export const TINY: Architecture = {
  stemWidth: 3,
  expansion: 2,
  stages: [
    { name: 'conv2', blocks: 2, width: 2, stride: 1 },
    { name: 'conv3', blocks: 1, width: 3, stride: 2 },
  ],
};

/** Repeatable numbers in [-1, 1) that look random enough for a test. */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Moves batch-norm variables of fresh weights off their ones and zeros, so that a mix-up of them shows. */
export function disturbBatchNorm(tensors: Map<string, WeightTensor>): void {
  let seed = 1;
  for (const [name, tensor] of tensors) {
    if (name.endsWith('/kernel')) continue;
    const positive = /(gamma|moving_variance)$/.test(name);
    const offsets = noise(tensor.data.length, seed++);
    tensor.data = tensor.data.map((value, i) => value + (positive ? 0.5 : 0.3) * (offsets[i] ?? 0));
  }
}
