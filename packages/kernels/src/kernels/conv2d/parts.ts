/** Sums that are too few tiles for the device: split into parts over workgroups, which a second pass adds up in order. */
import { elements, type Limits, type OutputSpec, type Plan } from '../../runtime/plan.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import type { Precision } from '../../wgsl/shader.ts';
import { dealSums } from './sum-parts.plan.ts';
import type { Variant } from './variant.ts';

/** What is computed in the same kernel after the sum. */
export interface Conv2dEpilogue {
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly relu?: boolean;
}

/** The overrides that switch an epilogue on. */
export const epilogueConstants = ({ bias, residual, relu }: Conv2dEpilogue): Plan['constants'] => ({
  HAS_BIAS: Number(bias ?? false),
  HAS_RESIDUAL: Number(residual ?? false),
  RELU: Number(relu ?? false),
});

/** The parameters that do so in a convolution, whose shaders take long to compile: one does for all epilogues. */
export const epilogueParams = ({ bias, residual, relu }: Conv2dEpilogue): Plan['params'] => ({
  hasBias: Number(bias ?? false),
  hasResidual: Number(residual ?? false),
  relu: Number(relu ?? false),
});

export interface Split {
  readonly count: number;
  readonly perPart: number;
}

/**
 * Splits a sum of `depth` terms until the grid has `wanted` workgroups.
 * @param tiles workgroups of one part
 * @param shortest terms below which a part costs more to write and add up than to sum
 * @param step each part but the last is a multiple of it
 * @param bytes of one part, which are bound all together
 */
export function split(
  { tiles, depth, wanted, shortest, step, bytes }: Readonly<Record<'tiles' | 'depth' | 'wanted' | 'shortest' | 'step' | 'bytes', number>>, // prettier-ignore
  limits: Limits,
): Split {
  const most = Math.min(Math.floor(depth / shortest), Math.floor(limits.maxStorageBufferBindingSize / bytes));
  const count = Math.max(1, Math.min(Math.ceil(wanted / Math.max(1, tiles)), most));
  const perPart = Math.max(1, Math.ceil(depth / count / step)) * step;
  return { count: Math.max(1, Math.ceil(depth / perPart)), perPart };
}

/** Fewer channels in a part cost more to write and add up than to sum. */
const MIN_CHANNELS_PER_PART = 128;

/** What a plan needs whose sum over channels is split, or not. */
export interface ChannelParts {
  readonly count: number;
  readonly constants: Plan['constants'];
  readonly params: Plan['params'];
  readonly output: OutputSpec;
}

/** Splits the sum over channels where too few tiles fill the device and the variant can. */
export function splitChannels(
  { shader, step }: Variant,
  { tiles, channels, shape, precision }: { tiles: number; channels: number; shape: readonly number[]; precision: Precision }, // prettier-ignore
  tiling: Tiling,
  limits: Limits,
): ChannelParts {
  const whole = { count: 1, constants: {}, params: {}, output: { shape, dtype: precision } } as const;
  if (step === undefined) return whole;
  // Parts are float32: a shader whose output is stored in float16 must know of them.
  const knows = shader.overrides.includes('PARTIAL');
  const wanted = knows || precision === 'float32' ? (tiling.splitUpTo ?? tiling.workgroups ?? 1) : 1;
  const shortest = MIN_CHANNELS_PER_PART;
  const { count, perPart } = split({ tiles, depth: channels, wanted, shortest, step, bytes: 4 * elements(shape) }, limits); // prettier-ignore
  const params = { channelsPerPart: perPart };
  if (count === 1) return { ...whole, params };
  return { count, constants: knows ? { PARTIAL: 1 } : {}, params, output: { shape: [count, ...shape], dtype: 'float32' } }; // prettier-ignore
}

/**
 * Adds up parts [count, ...shape], float32: input parts, bias and residual where the epilogue has them; output sum.
 * @param precision in which the residual and the sum are stored
 * @param tuning of a pass in which one thread has all parts of a sum; without it threads share them
 */
export function planSum(
  shape: readonly number[],
  count: number,
  limits: Limits,
  { epilogue = {}, precision = 'float32', tuning = {} }: { epilogue?: Conv2dEpilogue; precision?: Precision; tuning?: Tuning } = {}, // prettier-ignore
): Plan {
  return {
    ...dealSums({ size: elements(shape), columns: shape.at(-1) ?? 1, count }, limits, tuning),
    constants: epilogueConstants(epilogue),
    precision,
    outputs: { sum: { shape, dtype: precision } },
  };
}
