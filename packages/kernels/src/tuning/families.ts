/** The tunable kernels: their shaders, and the tilings worth trying on a device. */
import { shaders as backwardFilter } from '../kernels/conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { shaders as backwardInput } from '../kernels/conv2d-backward-input/conv2d-backward-input.plan.ts';
import { shaders as forward } from '../kernels/conv2d/conv2d.plan.ts';
import type { Conv2dShape } from '../kernels/conv2d/shape.ts';
import { allowsFlat } from '../kernels/conv2d/variant.ts';
import type { Limits } from '../runtime/plan.ts';
import type { Precision } from '../wgsl/shader.ts';
import { isLegal, isLegalMatrix, isLegalStaged } from './legal.ts';
import type { DeviceKind, Tuning } from './tilings.ts';
import { fingerprint, TUNED_KERNELS, type Choice, type Choices, type TunedKernel } from './tuned.ts';

const families = {
  conv2d: forward,
  'conv2d-backward-input': backwardInput,
  'conv2d-backward-filter': backwardFilter,
} as const;

/** Fingerprints of the shaders that choices name, as they are now: a change to a shader that none of them takes leaves them be. */
export function currentFingerprints(choices: Choices): Partial<Record<TunedKernel, string>> {
  const known = TUNED_KERNELS.flatMap((kernel) => {
    const named = new Set(Object.values(choices[kernel] ?? {}).map(({ variant }) => variant));
    return named.size === 0 ? [] : [[kernel, fingerprint(families[kernel], named)] as const];
  });
  return Object.fromEntries(known);
}

/** Every combination of the given values. */
function product(values: Readonly<Record<string, readonly number[]>>): Tuning[] {
  return Object.entries(values).reduce<Tuning[]>(
    (found, [name, list]) => found.flatMap((tuning) => list.map((value) => ({ ...tuning, [name]: value }))),
    [{}],
  );
}

/** Whether a kernel takes a shape over a flat depth, where the device has tilings for that. */
export const isFlat = (kernel: TunedKernel, shape: Conv2dShape): boolean =>
  'flat' in families[kernel] && allowsFlat(shape);

/**
 * Tilings that the device's limits allow, of every variant that it has. All three directions share their constants.
 * @param flat whether they are for a shape that a GPU takes over a flat depth, and so neither staged nor by matrix units
 */
export function candidates(
  { isSoftware, subgroupSize, matrixUnit }: DeviceKind,
  limits: Limits,
  precision: Precision,
  flat = false,
): Choice[] {
  const overFlat = flat && !isSoftware;
  const direct = product(
    isSoftware
      ? { TM: [4, 8, 16], TN: [4, 8], COLS: [8], ROWS: [1] }
      : { TM: [4, 8], TN: [2, 4], COLS: [16, 32], ROWS: [2, 4, 8] },
  ).filter((tuning) => isLegal(tuning, limits));
  const subgroups =
    subgroupSize === undefined
      ? []
      : product({ LANES: [subgroupSize], TM: [1, 2, 3, 4].map((count) => count * subgroupSize) }).filter(
          // A lane keeps four columns of its rows.
          ({ TM = 1 }) => isLegal({ TM, TN: 4 }, limits),
        );
  const staged = product(
    isSoftware
      ? { TM: [8], TN: [8], COLS: [8], ROWS: [1, 2], DEPTH: [8, 16], BUFFERS: [1] }
      : {
          TM: [4, 8],
          TN: [4, 8, 16],
          COLS: [8, 16],
          ROWS: overFlat ? [4, 8, 16, 20] : [4, 8, 16],
          DEPTH: [8, 16, 32],
          BUFFERS: [1, 2],
        },
  ).filter((tuning) => isLegalStaged(tuning, limits));
  const sides = { TM: [1, 2, 4], TN: [1, 2, 4], ROWS: [1, 2, 4], COLS: [1, 2, 4] };
  const matrix =
    overFlat || matrixUnit === undefined || subgroupSize === undefined || precision === 'float32'
      ? []
      : product({ M: [matrixUnit.M], N: [matrixUnit.N], K: [matrixUnit.K], LANES: [subgroupSize], ...sides, DEPTH: [16, 32, 64] }) // prettier-ignore
          .filter(({ DEPTH = 1, ROWS = 1, COLS = 1 }) => DEPTH % matrixUnit.K === 0 && ROWS * COLS > 1)
          .filter((tuning) => isLegalMatrix(tuning, limits));
  // Where there are matrix units, they and the staged tiles would be too many to try, and they multiply several times faster.
  return [
    ...matrix.map((tuning): Choice => ({ variant: 'matrix', tuning })),
    ...subgroups.map((tuning): Choice => ({ variant: 'subgroups', tuning })),
    ...(matrix.length > 0 ? [] : staged).map((tuning): Choice => ({ variant: overFlat ? 'flat' : 'staged', tuning })),
    ...direct.map((tuning): Choice => ({ variant: 'direct', tuning })),
  ];
}
