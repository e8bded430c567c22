/** Small convolutions, forward and backward, on the device at hand, checked against their float64 definition. */
import type { ThawBackend } from './backend/thaw-backend.ts';
import { planConv2dBackwardFilter } from './kernels/conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from './kernels/conv2d-backward-input/conv2d-backward-input.plan.ts';
import { edgeCases, matrixCases } from './kernels/conv2d/conv2d.cases.ts';
import { planConv2d } from './kernels/conv2d/conv2d.plan.ts';
import {
  conv2dBackwardFilterReference,
  conv2dBackwardInputReference,
  conv2dReference,
} from './kernels/conv2d/conv2d.ref.ts';
import type { Conv2dShape } from './kernels/conv2d/shape.ts';
import { planConversion } from './kernels/precision/precision.plan.ts';
import { DeviceLostError } from './runtime/errors.ts';
import type { Plan } from './runtime/plan.ts';
import type { BufferSlice } from './runtime/slice.ts';
import type { Tiling } from './tuning/tilings.ts';
import type { Precision } from './wgsl/shader.ts';

/** One check of the device's arithmetic. */
export interface SelfCheckResult {
  /** What was computed. */
  readonly name: string;
  /** Largest absolute difference from float64. */
  readonly maxError: number;
  /**
   * Largest difference that rounding explains: 4 k 2^-24 for a float32 sum of k products of size at most 1, and where the
   * result is stored in float16, 2^-11 of the largest.
   */
  readonly bound: number;
  /** Whether the error is within the bound. */
  readonly ok: boolean;
}

/** Uniform-looking values in [-1, 1], multiples of 2^-10 for float16, which holds those exactly. */
function values(length: number, frequency: number, precision: Precision): Float32Array<ArrayBuffer> {
  const wave = Float32Array.from({ length }, (_, i) => Math.sin(frequency * (i + 1)));
  return precision === 'float32' ? wave : wave.map((v) => Math.round(1024 * v) / 1024);
}

/** One direction of a convolution, and what it must give. */
interface Check {
  readonly name: string;
  readonly plans: readonly Plan[];
  readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly want: Float64Array;
  /** Products in each of its sums. */
  readonly terms: number;
}

function checksOf(backend: ThawBackend, s: Conv2dShape, what: string, precision: Precision, tiling: Tiling): Check[] {
  const x = values(s.batch * s.inH * s.inW * s.inC, 1.7, precision);
  const w = values(s.kH * s.kW * s.inC * s.outC, 2.3, precision);
  const dy = values(s.batch * s.outH * s.outW * s.outC, 3.1, precision);
  const { limits } = backend.gpu;
  return [
    { name: `${what} forward`, plans: planConv2d(s, {}, limits, tiling, precision), inputs: { x, w }, want: conv2dReference(s, x, w), terms: s.kH * s.kW * s.inC },
    { name: `${what} backward, input`, plans: planConv2dBackwardInput(s, limits, tiling, precision), inputs: { dy, w }, want: conv2dBackwardInputReference(s, dy, w), terms: s.kH * s.kW * s.outC },
    { name: `${what} backward, filter`, plans: planConv2dBackwardFilter(s, limits, tiling, precision), inputs: { x, dy }, want: conv2dBackwardFilterReference(s, x, dy), terms: s.batch * s.outH * s.outW },
  ]; // prettier-ignore
}

async function runCheck({ gpu }: ThawBackend, { name, plans, inputs, want, terms }: Check): Promise<SelfCheckResult> {
  await Promise.all(plans.map((plan) => gpu.pipelines.get(plan).ready));
  const held: BufferSlice[] = [];
  const converted = (x: BufferSlice, length: number, to: Precision): BufferSlice => {
    const { y } = gpu.run(planConversion([length], to, gpu.limits), { x });
    if (!y) throw new Error(`${name}: the conversion made nothing`);
    held.push(y);
    return y;
  };
  try {
    const given = Object.fromEntries(
      Object.entries(inputs).map(([id, data]) => {
        const slice = gpu.allocate([data.length]);
        held.push(slice);
        gpu.queue.upload(slice, data);
        return [id, plans[0]?.precision === 'float16' ? converted(slice, data.length, 'float16') : slice] as const;
      }),
    );
    let made: BufferSlice | undefined;
    for (const plan of plans) {
      [made] = Object.values(gpu.run(plan, { ...given, parts: made }));
      if (made) held.push(made);
    }
    const isHalf = Object.values(plans.at(-1)?.outputs ?? {}).some(({ dtype }) => dtype === 'float16');
    if (!made) throw new Error(`${name}: no output`);
    const got = new Float32Array(await gpu.queue.download(isHalf ? converted(made, want.length, 'float32') : made));
    const maxError = want.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? NaN))), 0);
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const bound = 4 * terms * 2 ** -24 + (isHalf ? 2 ** -11 * largest : 0);
    return { name, maxError, bound, ok: maxError <= bound };
  } finally {
    for (const slice of held) gpu.release(slice);
  }
}

function shapeOf(cases: readonly { readonly name: string; readonly shape: Conv2dShape }[], name: string): Conv2dShape {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`the case '${name}' is gone from conv2d.cases.ts`);
  return found.shape;
}

async function runAll(backend: ThawBackend, checks: readonly Check[]): Promise<SelfCheckResult[]> {
  const results: SelfCheckResult[] = [];
  for (const check of checks) results.push(await runCheck(backend, check));
  return results;
}

/** Runs the checks in float32, and stored in float16 where the device has that. @throws what the device throws. */
export async function selfCheck(backend: ThawBackend): Promise<SelfCheckResult[]> {
  const hasHalf = backend.gpu.device.features.has('shader-f16');
  return runAll(backend, [
    ...checksOf(backend, shapeOf(edgeCases, 'primes, stride 2'), 'convolution', 'float32', {}),
    ...(hasHalf ? checksOf(backend, shapeOf(edgeCases, 'channels in fours'), 'float16', 'float16', {}) : []),
  ]);
}

/** Runs the checks of each tile of the device's matrix unit; none where it has no unit. @throws what the device throws. */
export async function checkMatrixUnit(backend: ThawBackend): Promise<SelfCheckResult[]> {
  const { matrix = [] } = backend.gpu.tiling('conv2d');
  const shape = shapeOf(matrixCases, 'channels in eights');
  const checks = matrix.flatMap((tuning) => {
    const { TM = 0, ROWS = 0, M = 0, TN = 0, COLS = 0, N = 0 } = tuning;
    const what = `matrix unit, tile ${TM * ROWS * M} x ${TN * COLS * N},`;
    return checksOf(backend, shape, what, 'float16', { matrix: [tuning] });
  });
  // All at once, as compiling takes longer than running.
  await Promise.all(checks.flatMap(({ plans }) => plans.map((plan) => backend.gpu.pipelines.get(plan).ready)));
  return runAll(backend, checks);
}

/**
 * Checks the device's matrix unit, which few machines have yet, and has the backend do without it where it fails.
 * @returns why, in words for the user; undefined where all is well or there is no unit
 */
export async function verifyMatrixUnit(backend: ThawBackend): Promise<string | undefined> {
  let problem: string | undefined;
  try {
    const wrong = (await checkMatrixUnit(backend)).find(({ ok }) => !ok);
    if (wrong) problem = `${wrong.name} is off by ${wrong.maxError.toExponential(1)}, allowed is ${wrong.bound.toExponential(1)}`; // prettier-ignore
  } catch (error) {
    if (error instanceof DeviceLostError) throw error;
    problem = error instanceof Error ? error.message : String(error);
  }
  if (problem === undefined) return undefined;
  backend.gpu.dropMatrixUnit();
  return `The matrix units of this device are left alone, as a check failed: ${problem}`;
}
