/**
 * The convolutions on matrix units, which no device at hand may have. Two halves of a proof: the shaders and their tilings
 * are valid for a device that has every feature (Dawn's null backend), and the same text with the matrices emulated in plain
 * WGSL computes what the float64 definition says.
 */
import { describe, expect, test } from 'vitest';
import { deviceKind } from '../../runtime/device.ts';
import { PipelineCache } from '../../runtime/pipelines.ts';
import type { Plan } from '../../runtime/plan.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { randomHalves } from '../../testing/compare.ts';
import { checkConvolutions, checkEpilogue, plansOf } from '../../testing/convolutions.ts';
import { gpu } from '../../testing/device.ts';
import { emulateMatrices } from '../../testing/emulate-matrices.ts';
import { NULL_LANES, openNullDevice } from '../../testing/null-device.ts';
import { hasHalf } from '../../testing/precisions.ts';
import { candidates } from '../../tuning/families.ts';
import { matrixBytes } from '../../tuning/legal.ts';
import { defaultTilings, type Tiling, type Tuning } from '../../tuning/tilings.ts';
import { edgeCases, matrixCases, resnet50Cases } from './conv2d.cases.ts';

const NVIDIA = { isSoftware: false, subgroupSize: 32, matrixUnit: { M: 16, N: 16, K: 16 } };
const ofNvidia = { ...defaultLimits, maxComputeWorkgroupStorageSize: 49_152, maxComputeInvocationsPerWorkgroup: 1024 };
const small: Tuning = { M: 16, N: 16, K: 16, LANES: 32, TM: 2, TN: 2, ROWS: 2, COLS: 2, DEPTH: 16 };
const narrow: Tuning = { M: 16, N: 8, K: 16, LANES: 16, TM: 1, TN: 3, ROWS: 3, COLS: 1, DEPTH: 32 };
const deep: Tuning = { M: 8, N: 16, K: 16, LANES: 8, TM: 3, TN: 1, ROWS: 2, COLS: 2, DEPTH: 64 };
const shape = matrixCases[1]!.shape;
const layers = resnet50Cases(32, 2).filter(({ shape: s }) => s.inC % 8 === 0);
const inParts = { name: 'parts', shape: { ...matrixCases[6]!.shape, inC: 264, outC: 392 } };

describe('compiled for a device that has every feature', async () => {
  const pipelines = new PipelineCache(await openNullDevice());
  const compile = async (tuning: Tuning): Promise<string[]> => {
    const plans = plansOf(shape, { matrix: [tuning] }, 'float16').flat();
    const results = await Promise.allSettled(plans.map((plan) => pipelines.get(plan).ready));
    return results.map((one) => (one.status === 'fulfilled' ? 'ok' : String(one.reason)));
  };
  const ofUnits = (M: number, N: number, K: number): Tuning => ({
    ...small,
    M,
    N,
    K,
    LANES: NULL_LANES,
    ROWS: 1,
    COLS: 1,
  });
  test.each([small, ofUnits(16, 8, 16), ofUnits(16, 8, 8), ofUnits(8, 16, 16), ofUnits(8, 8, 8)])(
    '%j',
    async (tuning) => {
      expect(await compile(tuning)).toEqual(['ok', 'ok', 'ok']);
    },
  );

  // The null device has 16 KiB of workgroup memory and 256 threads, and says how much a larger tile takes; that is all it may
  // object to.
  test.each(defaultTilings(NVIDIA, ofNvidia).conv2d?.matrix ?? [])('tile of an NVIDIA GPU: %j', async (tuning) => {
    expect(matrixBytes(tuning)).toBeLessThanOrEqual(49_152);
    const isWhole = (tuning['ROWS']! * tuning['COLS']! * 32) % NULL_LANES === 0;
    const lanes = isWhole ? tuning : { ...tuning, LANES: NULL_LANES };
    const said = await compile(lanes);
    const bytes = said.map((one) => Number(/storage \((\d+) bytes\) is larger/.exec(one)?.[1] ?? NaN));
    const threads = tuning['ROWS']! * tuning['COLS']! * lanes['LANES']!;
    const tooMany = `workgroup_size(${threads}, 1, 1) that exceeds`;
    if (threads > 256) expect(said.map((one) => one.includes(tooMany))).toEqual([true, true, true]);
    else if (matrixBytes(tuning) > 16_384) expect(Math.max(...bytes)).toBe(matrixBytes(tuning));
    else expect(said).toEqual(['ok', 'ok', 'ok']);
  });
});

test('candidates for the search fit the device, and are for float16 alone', () => {
  const found = candidates(NVIDIA, ofNvidia, 'float16').filter(({ variant }) => variant === 'matrix');
  expect(found.length).toBeGreaterThan(50);
  for (const { tuning } of found) expect(matrixBytes(tuning)).toBeLessThanOrEqual(49_152);
  expect(candidates(NVIDIA, ofNvidia, 'float32').some(({ variant }) => variant === 'matrix')).toBe(false);
});

test('chosen for float16 where the channels are in eights, and otherwise what there was', () => {
  const tiling = defaultTilings(NVIDIA, ofNvidia).conv2d!;
  const shaders = (s: typeof shape, precision: 'float32' | 'float16') =>
    plansOf(s, tiling, precision).map(([first]) => first?.shader.name);
  expect(shaders(shape, 'float16')).toEqual(['conv2d-matrix', 'conv2d-backward-input-matrix', 'conv2d-backward-filter-matrix']); // prettier-ignore
  expect(shaders(shape, 'float32').join()).not.toContain('matrix');
  for (const { shape: s } of edgeCases) expect(shaders(s, 'float16').join()).not.toContain('matrix');
});

test('tiles at 224x224, batch 64: wide ones where the layer is wide, none that throws half of its work away', () => {
  const tiling = defaultTilings(NVIDIA, ofNvidia).conv2d!;
  const tiles = Object.fromEntries(
    resnet50Cases(224, 64).slice(1).map(({ name, shape: s }) => {
      const { TM = 1, ROWS = 1, TN = 1, COLS = 1 } = plansOf(s, tiling, 'float16')[0][0]?.tuning ?? {};
      return [name, `${TM * ROWS * 16} x ${TN * COLS * 16}`];
    }),
  ); // prettier-ignore
  expect(tiles).toMatchObject({
    'conv2 at 224: 3x3': '64 x 64',
    'conv2 at 224: 1x1 expand': '128 x 128',
    'conv3 at 224: 3x3': '128 x 128',
    'conv4 at 224: 3x3': '64 x 64', // 98 x 2 large ones would fill one and a half times 132 multiprocessors
    'conv5 at 224: 3x3': '64 x 64',
    'conv5 at 224: 1x1 expand': '128 x 128',
  });
});

describe.skipIf(!hasHalf)(`emulated${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  const emulated = new Map<string, Plan['shader']>();
  const change = (plan: Plan): Plan => {
    if (!plan.shader.name.endsWith('-matrix')) return plan;
    const shader = emulated.get(plan.shader.name) ?? emulateMatrices(plan.shader);
    emulated.set(plan.shader.name, shader);
    return { ...plan, shader };
  };
  const setting = (tiling: Tiling) => ({ tiling, precision: 'float16', draw: randomHalves, change }) as const;

  describe.each([small, narrow, deep])('%j', (tuning) => {
    test.each(matrixCases)('$name', (c) => checkConvolutions(c, setting({ matrix: [tuning] })));
  });
  test('bias, residual and ReLU in the same kernel', () =>
    checkEpilogue(matrixCases[1]!, setting({ matrix: [small] })));
  test.each(layers)('ResNet-50 $name', (c) => checkConvolutions(c, setting({ matrix: [small] })));

  test('parts of the channels are float32 until they are added up', async () => {
    const tiling: Tiling = { matrix: [small], workgroups: 132 };
    expect(plansOf(inParts.shape, tiling, 'float16').map((plans) => plans.length)).toEqual([2, 2, 1]);
    await checkConvolutions(inParts, setting(tiling));
    await checkEpilogue(inParts, setting(tiling));
  });
});

const { matrixUnit: unit, subgroupSize: LANES } = deviceKind(gpu.device);
describe.skipIf(!unit || LANES === undefined)(`on the device's own unit${unit ? '' : ' (it has none)'}`, () => {
  const own = (sides: Tuning): Tuning => ({ ...unit, LANES: LANES ?? 0, ...sides });
  const tunings = [
    { TM: 2, TN: 2, ROWS: 2, COLS: 2, DEPTH: 16 },
    { TM: 1, TN: 3, ROWS: 3, COLS: 1, DEPTH: 32 },
  ].map(own);
  const setting = (tiling: Tiling) => ({ tiling, precision: 'float16', draw: randomHalves }) as const;
  describe.each(tunings)('%j', (tuning) => {
    test.each(matrixCases)('$name', (c) => checkConvolutions(c, setting({ matrix: [tuning] })));
    test('bias, residual and ReLU', () => checkEpilogue(matrixCases[1]!, setting({ matrix: [tuning] })));
    test('parts', () => checkConvolutions(inParts, setting({ matrix: [tuning], workgroups: 132 })));
  });
  test.each(layers)('ResNet-50 $name', (c) => checkConvolutions(c, setting({ matrix: tunings.slice(0, 1) })));
});

test('the emulation knows all that it must replace', () => {
  const [[first]] = plansOf(shape, { matrix: [small] }, 'float16');
  const shader = { ...first!.shader, source: `${first!.shader.source}\nfn f() { subgroupMatrixScalarAdd(x, 1); }` };
  expect(() => emulateMatrices(shader)).toThrow("conv2d-matrix.wgsl: 'subgroupMatrixScalarAdd' has no emulation");
});
