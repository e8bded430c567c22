/** All three directions of a convolution on the test device, against the float64 definition. */
import { planConv2dBackwardFilter } from '../kernels/conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from '../kernels/conv2d-backward-input/conv2d-backward-input.plan.ts';
import type { Conv2dCase } from '../kernels/conv2d/conv2d.cases.ts';
import { planConv2d } from '../kernels/conv2d/conv2d.plan.ts';
import {
  conv2dBackwardFilterReference,
  conv2dBackwardInputReference,
  conv2dReference,
} from '../kernels/conv2d/conv2d.ref.ts';
import type { Conv2dEpilogue } from '../kernels/conv2d/parts.ts';
import type { Limits, Plan } from '../runtime/plan.ts';
import type { TiledKernel, Tiling, Tilings } from '../tuning/tilings.ts';
import type { Precision } from '../wgsl/shader.ts';
import { expectClose, random, storedBound, sumBound } from './compare.ts';
import { gpu, runPlans } from './device.ts';
import type { Draw } from './precisions.ts';

const { limits } = gpu;
const xSize = (s: Conv2dCase['shape']) => s.batch * s.inH * s.inW * s.inC;
const ySize = (s: Conv2dCase['shape']) => s.batch * s.outH * s.outW * s.outC;
const wSize = (s: Conv2dCase['shape']) => s.kH * s.kW * s.inC * s.outC;

/** How the plans of a convolution are made, and what is done to them before they run. */
export interface Setting {
  /** Of all three directions, or one for each. */
  readonly tiling: Tiling | Tilings;
  readonly precision: Precision;
  readonly draw: Draw;
  readonly change?: (plan: Plan) => Plan;
}

/** Runs a plan, and one that adds up its parts if there is one. @returns the one output of the last */
async function run(
  plans: readonly Plan[],
  inputs: Readonly<Record<string, Float32Array>>,
  change: (plan: Plan) => Plan = (plan) => plan,
): Promise<ArrayLike<number>> {
  let parts: ArrayLike<number> = [];
  for (const [i, plan] of plans.entries()) {
    const given = i === 0 ? inputs : { ...inputs, parts: Float32Array.from(parts) };
    const [made] = Object.values(await runPlans([change(plan)], given));
    parts = made ?? [];
  }
  return parts;
}

/** Inputs and what they give, by case and precision: several tilings make the same. */
const known = new Map<string, ReturnType<typeof reference>>();
function reference({ shape: s }: Conv2dCase, draw: Draw) {
  const [x, w, dy] = [draw(xSize(s), 1), draw(wSize(s), 2), draw(ySize(s), 3)];
  const y = conv2dReference(s, x, w);
  const dx = conv2dBackwardInputReference(s, dy, w);
  return { x, w, dy, y, dx, dw: conv2dBackwardFilterReference(s, x, dy) };
}

const tilingOf = (tiling: Tiling | Tilings, kernel: TiledKernel): Tiling =>
  'conv2d' in tiling ? (tiling[kernel] ?? {}) : (tiling as Tiling);

/** The plans of the three directions: forward, with respect to the input, with respect to the filter. */
export const plansOf = (
  s: Conv2dCase['shape'],
  tiling: Tiling | Tilings,
  precision: Precision,
  within: Limits = limits,
) =>
  [
    planConv2d(s, {}, within, tilingOf(tiling, 'conv2d'), precision),
    planConv2dBackwardInput(s, within, tilingOf(tiling, 'conv2d-backward-input'), precision),
    planConv2dBackwardFilter(s, within, tilingOf(tiling, 'conv2d-backward-filter'), precision),
  ] as const;

export async function checkConvolutions(c: Conv2dCase, setting: Setting): Promise<void> {
  const { tiling, precision, draw, change } = setting;
  const { shape: s } = c;
  const key = `${c.name} ${precision}`;
  const want = known.get(key) ?? reference(c, draw);
  known.set(key, want);
  const { x, w, dy } = want;
  const [forward, backwardInput, backwardFilter] = plansOf(s, tiling, precision);
  expectClose(await run(forward, { x, w }, change), want.y, storedBound(want.y, sumBound(s.kH * s.kW * s.inC), precision)); // prettier-ignore
  expectClose(await run(backwardInput, { dy, w }, change), want.dx, storedBound(want.dx, sumBound(s.kH * s.kW * s.outC), precision)); // prettier-ignore
  expectClose(await run(backwardFilter, { x, dy }, change), want.dw, sumBound(s.batch * s.outH * s.outW));
}

/** Forward with bias, residual and ReLU in the same kernel. */
export async function checkEpilogue({ shape: s }: Conv2dCase, setting: Setting): Promise<void> {
  const { tiling, precision, draw, change } = setting;
  const x = draw(xSize(s), 1), w = draw(wSize(s), 2), bias = random(s.outC, 3), residual = draw(ySize(s), 4); // prettier-ignore
  const sum = conv2dReference(s, x, w);
  const want = sum.map((v, i) => Math.max(0, v + (bias[i % s.outC] ?? NaN) + (residual[i] ?? NaN)));
  const epilogue: Conv2dEpilogue = { bias: true, residual: true, relu: true };
  const plans = planConv2d(s, epilogue, limits, tilingOf(tiling, 'conv2d'), precision);
  const y = await run(plans, { x, w, bias, residual }, change);
  expectClose(y, want, storedBound(want, sumBound(s.kH * s.kW * s.inC + 2), precision));
}
