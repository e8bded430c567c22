/** Convolutions over a flat depth, for channels that do not come in fours: against the float64 definition, and when they are taken. */
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../testing/absent-device.ts';
import { random } from '../../testing/compare.ts';
import { checkConvolutions, checkEpilogue, plansOf } from '../../testing/convolutions.ts';
import { gpu } from '../../testing/device.ts';
import { describePrecisions, type Draw } from '../../testing/precisions.ts';
import { isLegalStaged } from '../../tuning/legal.ts';
import { candidates, isFlat } from '../../tuning/families.ts';
import { chosenTiling } from '../../tuning/tuned.ts';
import { defaultTilings, type DeviceKind, type Tiling, type Tilings } from '../../tuning/tilings.ts';
import { edgeCases, flatCases, matrixCases, resnet50Cases } from './conv2d.cases.ts';
import type { Conv2dShape } from './shape.ts';

const GPU: DeviceKind = { isSoftware: false, subgroupSize: 32, matrixUnit: { M: 16, N: 16, K: 16 } };
const large = {
  ...defaultLimits,
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxComputeWorkgroupStorageSize: 49_152,
  maxComputeInvocationsPerWorkgroup: 1024,
};
const [stem] = resnet50Cases(32, 2);
const shadersOf = (s: Conv2dShape, tiling: Tiling | Tilings, precision: 'float32' | 'float16' = 'float32') =>
  plansOf(s, tiling, precision).map(([first]) => first?.shader.name);
const tilings: readonly Tiling[] = [
  { TM: 8, TN: 8, COLS: 8, ROWS: 20, DEPTH: 16, BUFFERS: 1 },
  { TM: 8, TN: 4, COLS: 16, ROWS: 20, DEPTH: 16, BUFFERS: 2 },
  { TM: 4, TN: 4, COLS: 8, ROWS: 4, DEPTH: 8, BUFFERS: 2 },
  { TM: 4, TN: 4, COLS: 8, ROWS: 8, DEPTH: 32, BUFFERS: 1 },
].flatMap((tuning) => (isLegalStaged(tuning, gpu.limits) ? [{ flat: [tuning] }] : []));

describePrecisions((precision, draw) => {
  describe.each(tilings)('tiling %j', (tiling) => {
    test.each(flatCases)('$name', async (c) => {
      const [forward, , backwardFilter] = shadersOf(c.shape, tiling, precision);
      expect([forward, backwardFilter]).toEqual(['conv2d-flat', 'conv2d-backward-filter-flat']);
      await checkConvolutions(c, { tiling, precision, draw });
    });
    test('bias, residual and ReLU in the same kernel', () => checkEpilogue(flatCases[5]!, { tiling, precision, draw }));
  });
  test("ResNet-50's stem as a GPU takes it", async () => {
    const tiling = defaultTilings(GPU, defaultLimits);
    await checkConvolutions(stem!, { tiling, precision, draw });
    await checkEpilogue(stem!, { tiling, precision, draw });
  });
});

test('taken on a GPU where the channels of x do not come in fours, and nowhere else', () => {
  const tiling = defaultTilings(GPU, large);
  const areFlat = (s: Conv2dShape) => shadersOf(s, tiling, 'float16').map((name) => name?.endsWith('-flat'));
  for (const { shape } of [stem!, ...flatCases]) expect(areFlat(shape)).toEqual([true, false, true]);
  const others = [...edgeCases.filter(({ shape: s }) => s.inC % 4 === 0 || s.outC % 4 !== 0 || s.dilationW > 1), ...matrixCases, ...resnet50Cases(32, 2).slice(1)]; // prettier-ignore
  expect(others.length).toBeGreaterThan(30);
  for (const { shape } of others) expect(areFlat(shape)).toEqual([false, false, false]);
  for (const subgroupSize of [undefined, 4, 8]) {
    const ofSoftware = defaultTilings({ isSoftware: true, subgroupSize, matrixUnit: undefined }, large);
    expect(shadersOf(stem!.shape, ofSoftware).join()).not.toContain('flat');
  }
});

test("the stem at 224x224, batch 64: the filter's rows are one tile, and the device is filled by parts of the depth", () => {
  const [{ shape }] = resnet50Cases(224, 64) as [(typeof flatCases)[number]];
  const [[forward], , [filter, sum]] = plansOf(shape, defaultTilings(GPU, large), 'float32', large);
  // 64 * 112 * 112 pixels in tiles of 128; of the filter, parts of 3,056 pixels: 16 * ceil(802,816 / 264 / 16).
  expect(forward?.workgroups).toEqual([1, 802_816 / 128, 1]);
  expect(filter?.workgroups).toEqual([1, 1, Math.ceil(802_816 / 3056)]);
  expect(filter?.params['depthPerPart']).toBe(3056);
  expect(filter?.tuning).toMatchObject({ TM: 8, TN: 4, COLS: 16, ROWS: 20, BUFFERS: 2 });
  expect(sum?.shader.name).toMatch(/^sum-parts/);
  // Within 256 threads and 16 KiB of workgroup memory.
  const within = { ...defaultLimits, maxStorageBufferBindingSize: large.maxStorageBufferBindingSize };
  const ofSmall = defaultTilings(GPU, within);
  expect(plansOf(shape, ofSmall, 'float32', within)[2][0]?.tuning).toMatchObject({ TN: 8, COLS: 8, ROWS: 20, BUFFERS: 1 }); // prettier-ignore
});

test('searched for with tiles of their own, on a GPU alone', () => {
  const variants = (kind: DeviceKind, flat: boolean) =>
    new Set(candidates(kind, large, 'float16', flat).map(({ variant }) => variant));
  expect(variants(GPU, true)).toEqual(new Set(['flat', 'subgroups', 'direct']));
  expect(variants(GPU, false)).toEqual(new Set(['matrix', 'subgroups', 'direct']));
  const software: DeviceKind = { isSoftware: true, subgroupSize: 8, matrixUnit: undefined };
  expect(candidates(software, large, 'float16', true)).toEqual(candidates(software, large, 'float16'));
  expect(isFlat('conv2d', stem!.shape)).toBe(true);
  expect(isFlat('conv2d-backward-input', stem!.shape)).toBe(false);
});

test('a tiling found for a bucket leaves its shapes of other channels what they had', () => {
  const fallback = defaultTilings(GPU, large).conv2d!;
  const tuning = { TM: 4, TN: 4, COLS: 8, ROWS: 8, DEPTH: 16, BUFFERS: 1 };
  const tiling = chosenTiling(fallback, { variant: 'flat', tuning });
  const rgba = { ...stem!.shape, inC: 4 };
  expect(plansOf(stem!.shape, tiling, 'float32')[0][0]?.tuning).toEqual(tuning);
  expect(shadersOf(rgba, tiling)).toEqual(['conv2d-staged', 'conv2d-backward-input-staged', 'conv2d-backward-filter-staged']); // prettier-ignore
  const staged = chosenTiling(fallback, { variant: 'staged', tuning });
  expect(shadersOf(stem!.shape, staged)[2]).toBe('conv2d-backward-filter-flat');
  expect(shadersOf(stem!.shape, chosenTiling(fallback, { variant: 'direct', tuning: {} }))[2]).toBe('conv2d-backward-filter'); // prettier-ignore
});

test('without a tiling for them they stay direct', () => {
  expect(shadersOf(stem!.shape, {})).toEqual(['conv2d', 'conv2d-backward-input', 'conv2d-backward-filter']);
});

test('what no window holds is not read, not even where the last step of the depth is filled up', async () => {
  // Every third pixel has a window of its own, of 3 numbers; a step reads 16. Infinity * 0 would be a NaN.
  const { shape } = flatCases.find(({ name }) => name.includes('stride 3 larger'))!;
  const { inW, inC } = shape;
  const draw: Draw = (length, seed) =>
    random(length, seed).map((v, i) => {
      const [row, column] = [Math.floor(i / inC / inW) % shape.inH, Math.floor(i / inC) % inW];
      return seed === 1 && (row % 3 > 0 || column % 3 > 0) ? Infinity : v;
    });
  await checkConvolutions({ name: 'infinite neighbours', shape }, { tiling: tilings[0]!, precision: 'float32', draw });
});
