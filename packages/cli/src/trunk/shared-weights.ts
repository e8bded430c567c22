// A trunk's weights laid side by side in memory that threads share: one copy, however many threads read it.
import type { TrunkWeights, WeightTensor } from '@thaw/model';

export interface SharedWeights {
  readonly variant: TrunkWeights['variant'];
  readonly hash: string;
  /** Where each tensor lies: its first value's index in `values`. */
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[]; readonly start: number }[];
  /** float32 */
  readonly values: SharedArrayBuffer;
}

/** Copies the trunk's weights; the ImageNet top is left out. */
export function shareWeights({ variant, hash, tensors }: TrunkWeights): SharedWeights {
  const trunk = [...tensors].filter(([name]) => !name.startsWith('predictions/'));
  const length = trunk.reduce((sum, [, { data }]) => sum + data.length, 0);
  const values = new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT * length);
  const all = new Float32Array(values);
  let next = 0;
  const layout = trunk.map(([name, { shape, data }]) => {
    const start = next;
    all.set(data, start);
    next += data.length;
    return { name, shape, start };
  });
  return { variant, hash, layout, values };
}

/** The weights in another thread, without a copy. */
export function sharedTrunkWeights({ variant, hash, layout, values }: SharedWeights): TrunkWeights {
  const tensors = layout.map(({ name, shape, start }): [string, WeightTensor] => {
    const length = shape.reduce((product, size) => product * size, 1);
    return [
      name,
      { shape: [...shape], data: new Float32Array(values, start * Float32Array.BYTES_PER_ELEMENT, length) },
    ];
  });
  return { variant, includeTop: false, topClasses: 0, tensors: new Map(tensors), hash };
}
