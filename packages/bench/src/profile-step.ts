// thaw bench profile: where the time of a captured training step goes, by layer and by kernel, from timestamp queries.
import type { DispatchTime, ThawBackend } from '@thaw/kernels';
import type { Precision } from '@thaw/model';
import { thawEngine } from './engines/thaw.ts';
import { floorMilliseconds, spread, type Ceilings, type Work } from './measure/statistics.ts';
import { tapsInside } from './workloads/kernel-cases.ts';
import { alone, fillSlot, warmUp } from './measure/warm-up.ts';
import { stepWorkload, type StepCase } from './workloads/step.ts';

/** What `profileStep` runs. */
export interface ProfileOptions {
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images in a step. */
  readonly batchSize: number;
  /** Of weights, images and labels. */
  readonly seed: number;
  /** Of the trunk; default float32. */
  readonly precision?: Precision | undefined;
  /** Of the device, as `measureCeilings` gives them. */
  readonly ceilings: Ceilings;
}

/** Dispatches that belong together. */
export interface ProfileRow {
  /** A layer, or a kernel. */
  readonly name: string;
  /** Of a layer; undefined where there is but one. */
  readonly pass: 'forward' | 'backward' | undefined;
  /** How many dispatches they are in one step. */
  readonly dispatches: number;
  /** Sum of their medians. */
  readonly milliseconds: number;
  /** The least that the device's ceilings allow, dispatch by dispatch. */
  readonly floorMilliseconds: number;
}

/** One dispatch of a step: its kernel, what it ran with, and its least time. */
export interface ProfiledDispatch extends DispatchTime {
  /** The least that the device's ceilings allow. */
  readonly floorMilliseconds: number;
}

/** Where the time of a step goes. */
export interface StepProfile {
  /** Of a step without timestamps. */
  readonly stepMilliseconds: number;
  /** Steps that were timed dispatch by dispatch. */
  readonly steps: number;
  /** Sum of the dispatches' medians. */
  readonly milliseconds: number;
  /** Longest first. */
  readonly layers: readonly ProfileRow[];
  /** The same by kernel, longest first. */
  readonly kernels: readonly ProfileRow[];
  /** One by one, in the order in which they run. */
  readonly dispatches: readonly ProfiledDispatch[];
}

/** Time for the timed steps. */
const PROFILE_MS = 3000;

/** Each dispatch's median of several steps, after some without timestamps. @throws without the timestamp-query feature */
export async function profileStep(
  thaw: ThawBackend,
  { part }: StepCase,
  { imageSize, batchSize, seed, precision, ceilings }: ProfileOptions,
): Promise<StepProfile> {
  const workload = await stepWorkload(thawEngine(thaw), { kind: 'step', part, imageSize, batchSize, seed, precision });
  try {
    const warm = await warmUp(workload, await workload.time(2));
    const { milliseconds: stepMilliseconds } = await fillSlot(workload, warm, alone);
    const steps = Math.min(20, Math.max(3, Math.round(PROFILE_MS / stepMilliseconds)));
    const times = await thaw.profile(async () => {
      await workload.time(steps);
    });
    const dispatches = medians(times, steps);
    const rows = (keyOf: (one: DispatchTime) => Pick<ProfileRow, 'name' | 'pass'>): ProfileRow[] =>
      sumBy(dispatches, keyOf, ceilings);
    return {
      stepMilliseconds,
      steps,
      milliseconds: dispatches.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
      layers: rows(({ from }) => ({ name: from?.layer ?? OUTSIDE, pass: from && passOf(from) })),
      kernels: rows(({ kernel }) => ({ name: kernel, pass: undefined })),
      dispatches: dispatches.map((one) => ({ ...one, floorMilliseconds: floorMilliseconds(workOfDispatch(one), ceilings) })), // prettier-ignore
    };
  } finally {
    await workload.close();
  }
}

/** Sums of gradients where a tensor went two ways, and what else no layer dispatches. */
const OUTSIDE = 'between layers';
/** They are named as layers are, and have no gradient. */
const WITHOUT_PASS = new Set(['optimizer', 'metrics']);
const passOf = ({ layer, pass }: NonNullable<DispatchTime['from']>): ProfileRow['pass'] =>
  WITHOUT_PASS.has(layer) ? undefined : pass;

/** One step's dispatches, each with the median of its times. @param times of several equal steps, one after the other */
export function medians(times: readonly DispatchTime[], steps: number): DispatchTime[] {
  const count = times.length / steps;
  if (!Number.isInteger(count)) throw new Error(`profile: ${times.length} dispatches in ${steps} equal steps.`);
  return times.slice(0, count).map((first, i) => ({
    ...first,
    milliseconds: spread(Array.from({ length: steps }, (_, step) => times[step * count + i]?.milliseconds ?? NaN))
      .median,
  }));
}

/** Sums dispatches by name and pass, longest first. */
export function sumBy(
  dispatches: readonly DispatchTime[],
  keyOf: (dispatch: DispatchTime) => Pick<ProfileRow, 'name' | 'pass'>,
  ceilings: Ceilings,
): ProfileRow[] {
  const rows = new Map<string, ProfileRow>();
  for (const dispatch of dispatches) {
    const { name, pass } = keyOf(dispatch);
    const key = `${name} ${pass}`;
    const before = rows.get(key) ?? { name, pass, dispatches: 0, milliseconds: 0, floorMilliseconds: 0 };
    rows.set(key, {
      ...before,
      dispatches: before.dispatches + 1,
      milliseconds: before.milliseconds + dispatch.milliseconds,
      floorMilliseconds: before.floorMilliseconds + floorMilliseconds(workOfDispatch(dispatch), ceilings),
    });
  }
  return [...rows.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** What a dispatch has to do at least. Other kernels than sums of products are all traffic. */
export function workOfDispatch({ kernel, params, bytes }: DispatchTime): Work {
  if (kernel.startsWith('conv2d') && 'kH' in params) {
    const { batch = 0, inH = 0, inW = 0, inC = 0, outH = 0, outW = 0, outC = 0, kH = 0, kW = 0 } = params;
    const { strideH = 1, strideW = 1, dilationH = 1, dilationW = 1, padTop = 0, padLeft = 0 } = params;
    const taps =
      tapsInside(inH, outH, kH, strideH, dilationH, padTop) * tapsInside(inW, outW, kW, strideW, dilationW, padLeft);
    return { flops: 2 * batch * taps * inC * outC, bytes };
  }
  if (kernel.startsWith('dense')) {
    const { rows = 0, inputs = 0, outputs = 0 } = params;
    return { flops: 2 * rows * inputs * outputs, bytes };
  }
  return { flops: 0, bytes };
}
