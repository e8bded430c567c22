/** The tunable kernels: their shaders, and the tilings worth trying on a device. */
import * as backwardFilter from '../kernels/conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import * as backwardInput from '../kernels/conv2d-backward-input/conv2d-backward-input.plan.ts';
import * as forward from '../kernels/conv2d/conv2d.plan.ts';
import type { Limits } from '../runtime/plan.ts';
import type { DeviceKind, Tuning } from './tilings.ts';
import { fingerprint, TUNED_KERNELS, type Choice, type TunedKernel } from './tuned.ts';

const families = {
  conv2d: forward,
  'conv2d-backward-input': backwardInput,
  'conv2d-backward-filter': backwardFilter,
} as const;

/** Fingerprints of the shaders as they are now. */
export function currentFingerprints(): Record<TunedKernel, string> {
  return Object.fromEntries(
    TUNED_KERNELS.map((kernel) => {
      const { shader, subgroupsShader, stagedShader } = families[kernel];
      return [kernel, fingerprint({ direct: shader, subgroups: subgroupsShader, staged: stagedShader })];
    }),
  ) as Record<TunedKernel, string>;
}

/** Every combination of the given values. */
function product(values: Readonly<Record<string, readonly number[]>>): Tuning[] {
  return Object.entries(values).reduce<Tuning[]>(
    (found, [name, list]) => found.flatMap((tuning) => list.map((value) => ({ ...tuning, [name]: value }))),
    [{}],
  );
}

/** Accumulators of a thread beyond which registers spill. */
const MOST_REGISTERS = 128;

/** Tilings that the device's limits allow, of every variant that it has. All three directions share their constants. */
export function candidates({ isSoftware, subgroupSize }: DeviceKind, limits: Limits): Choice[] {
  const threads = ({ COLS = 1, ROWS = 1 }: Tuning): number => COLS * ROWS;
  const registers = ({ TM = 1, TN = 1 }: Tuning): number => TM * TN;
  const stagedBytes = ({ TM = 1, TN = 1, COLS = 1, ROWS = 1, DEPTH = 1 }: Tuning): number =>
    4 * (TM * ROWS * DEPTH + TN * COLS * (DEPTH + 4));
  const isLegal = (tuning: Tuning): boolean =>
    threads(tuning) <= limits.maxComputeInvocationsPerWorkgroup && registers(tuning) <= MOST_REGISTERS;
  const direct = product(
    isSoftware
      ? { TM: [4, 8, 16], TN: [4, 8], COLS: [8], ROWS: [1] }
      : { TM: [4, 8], TN: [2, 4], COLS: [16, 32], ROWS: [2, 4, 8] },
  ).filter(isLegal);
  const subgroups =
    subgroupSize === undefined
      ? []
      : product({ LANES: [subgroupSize], TM: [1, 2, 3, 4].map((count) => count * subgroupSize) }).filter(
          ({ TM = 1 }) => 4 * TM <= MOST_REGISTERS,
        );
  const staged = product(
    isSoftware
      ? { TM: [8], TN: [8], COLS: [8], ROWS: [1, 2], DEPTH: [8, 16] }
      : { TM: [4, 8], TN: [4, 8], COLS: [8, 16], ROWS: [4, 8, 16], DEPTH: [8, 16, 32] },
  ).filter((tuning) => isLegal(tuning) && stagedBytes(tuning) <= limits.maxComputeWorkgroupStorageSize);
  return [
    ...subgroups.map((tuning): Choice => ({ variant: 'subgroups', tuning })),
    ...staged.map((tuning): Choice => ({ variant: 'staged', tuning })),
    ...direct.map((tuning): Choice => ({ variant: 'direct', tuning })),
  ];
}
