/** One small convolution, forward and backward, on the device at hand, checked against its float64 definition. */
import type { ThawBackend } from './backend/thaw-backend.ts';
import { planConv2dBackwardFilter } from './kernels/conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from './kernels/conv2d-backward-input/conv2d-backward-input.plan.ts';
import { edgeCases } from './kernels/conv2d/conv2d.cases.ts';
import { planConv2d } from './kernels/conv2d/conv2d.plan.ts';
import {
  conv2dBackwardFilterReference,
  conv2dBackwardInputReference,
  conv2dReference,
} from './kernels/conv2d/conv2d.ref.ts';
import type { Plan } from './runtime/plan.ts';

export interface SelfCheckResult {
  readonly name: string;
  /** Largest absolute difference from float64. */
  readonly maxError: number;
  /** Largest difference that float32 rounding explains: 4 k 2^-24 for a sum of k products of size at most 1. */
  readonly bound: number;
  readonly ok: boolean;
}

/** Uniform-looking values in [-1, 1] that float32 holds exactly enough for the bound. */
const values = (length: number, frequency: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(frequency * (i + 1)));

/** Runs the check. @throws what the device throws. */
export async function selfCheck(backend: ThawBackend): Promise<SelfCheckResult[]> {
  const shape = edgeCases.find(({ name }) => name === 'primes, stride 2')?.shape;
  if (!shape) throw new Error("the case 'primes, stride 2' is gone from conv2d.cases.ts");
  const x = values(shape.batch * shape.inH * shape.inW * shape.inC, 1.7);
  const w = values(shape.kH * shape.kW * shape.inC * shape.outC, 2.3);
  const dy = values(shape.batch * shape.outH * shape.outW * shape.outC, 3.1);
  const { limits } = backend.gpu;
  const check = async (
    name: string,
    plans: readonly Plan[],
    inputs: Record<string, Float32Array<ArrayBuffer>>,
    want: Float64Array,
    terms: number,
  ): Promise<SelfCheckResult> => {
    // prettier-ignore
    const slices = Object.fromEntries(
      Object.entries(inputs).map(([id, data]) => {
        const slice = backend.gpu.allocate([data.length]);
        backend.gpu.queue.upload(slice, data);
        return [id, slice] as const;
      }),
    );
    let last = slices;
    for (const plan of plans) last = backend.gpu.run(plan, { ...slices, ...last });
    const [slice] = Object.values(last);
    if (!slice) throw new Error(`${name}: no output`);
    const got = new Float32Array(await backend.gpu.queue.download(slice));
    const maxError = want.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? NaN))), 0);
    for (const used of new Set([...Object.values(slices), ...Object.values(last)])) backend.gpu.release(used);
    const bound = 4 * terms * 2 ** -24;
    return { name, maxError, bound, ok: maxError <= bound };
  };
  return [
    await check('convolution forward', [planConv2d(shape, {}, limits)], { x, w }, conv2dReference(shape, x, w), shape.kH * shape.kW * shape.inC), // prettier-ignore
    await check('convolution backward, input', [planConv2dBackwardInput(shape, limits)], { dy, w }, conv2dBackwardInputReference(shape, dy, w), shape.kH * shape.kW * shape.outC), // prettier-ignore
    await check('convolution backward, filter', planConv2dBackwardFilter(shape, limits), { x, dy }, conv2dBackwardFilterReference(shape, x, dy), shape.batch * shape.outH * shape.outW), // prettier-ignore
  ];
}
