/** Filters from [height, width, in, out] to [out, in, height, width], matrices from [in, out] to [out, in]. */
import type { WeightTensor } from '../weights/index.ts';

/** Vectors stay as they are. */
export function channelsFirst({ shape, data }: WeightTensor): WeightTensor {
  if (shape.length < 2) return { shape, data };
  const [outC = 1, inC = 1] = shape.toReversed();
  const window = shape.slice(0, -2);
  const area = window.reduce((a, b) => a * b, 1);
  const moved = new Float32Array(data.length);
  let to = 0;
  for (let o = 0; o < outC; o++)
    for (let i = 0; i < inC; i++) for (let at = 0; at < area; at++) moved[to++] = data[(at * inC + i) * outC + o] ?? 0;
  return { shape: [outC, inC, ...window], data: moved };
}
