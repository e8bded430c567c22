// The learning rate over a run, as a share of its highest value: functions of a step's number and the number of all steps.

/** The schedules there are. */
export const SCHEDULES = ['constant', 'cosine', 'one-cycle'] as const;
/** The name of a schedule. */
export type ScheduleKind = (typeof SCHEDULES)[number];

/** How the learning rate goes over a run. */
export interface Schedule {
  /** Which curve. */
  readonly kind: ScheduleKind;
  /** Share of the steps in which the rate rises; default 0, of one-cycle 0.3. */
  readonly warmup?: number | undefined;
}

/** What one-cycle starts at and ends at, as shares of the highest rate. */
const ONE_CYCLE = { first: 1 / 25, last: 1 / 25e4 } as const;

/** From `from` to `to` along half a cosine, at `share` of the way. */
const anneal = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/**
 * The rate of a step, between 0 and 1.
 *
 * constant: 1. cosine: half a cosine from 1 towards 0 (Loshchilov and Hutter, "SGDR", 2017, without restarts). Both after
 * a linear rise over the warm-up. one-cycle: half a cosine from 1/25 up to 1 over the warm-up, then down to 1/250,000
 * (Smith and Topin, "Super-Convergence", 2018, in PyTorch's form, the momentum left alone).
 *
 * @param step from 0
 * @param total steps of the whole run
 * @throws when the warm-up is no share
 */
export function rateShare(
  { kind, warmup = kind === 'one-cycle' ? 0.3 : 0 }: Schedule,
  step: number,
  total: number,
): number {
  if (!(warmup >= 0 && warmup < 1))
    throw new Error(`schedule: the warm-up must be in [0, 1) of the steps, got ${warmup}.`);
  const rise = Math.round(warmup * total);
  const after = (last: number): number => Math.min(1, (step - rise) / Math.max(1, last - rise));
  switch (kind) {
    case 'constant':
      return step < rise ? (step + 1) / rise : 1;
    case 'cosine':
      return step < rise ? (step + 1) / rise : anneal(1, 0, after(total));
    case 'one-cycle':
      return step < rise ? anneal(ONE_CYCLE.first, 1, step / rise) : anneal(1, ONE_CYCLE.last, after(total - 1));
    default:
      throw new Error(`unknown schedule ${String(kind satisfies never)}`);
  }
}
