// Which tiling a convolution gets: of the device's limits, of a table that fits the device, of one precision or the other.
import { describe, expect, test } from 'vitest';
import { resnet50Cases } from '../kernels/conv2d/conv2d.cases.ts';
import { Gpu } from '../runtime/gpu.ts';
import { absentDevice, defaultLimits } from '../testing/absent-device.ts';
import { currentFingerprints } from './families.ts';
import { shippedChoices, shippedTables } from './shipped.ts';
import { defaultTilings } from './tilings.ts';
import {
  convolutionBucket,
  fittingChoices,
  TUNED_KERNELS,
  type Choice,
  type TunedDevice,
  type TuningTable,
} from './tuned.ts';

test('a tiling found for one precision leaves the other alone, and float32 stands in where float16 has none', () => {
  const [{ shape }] = resnet50Cases(32, 2) as [ReturnType<typeof resnet50Cases>[number]];
  const [wide, half] = [convolutionBucket(shape, 'float32'), convolutionBucket(shape, 'float16')];
  expect(half).not.toBe(wide);
  const gpu = new Gpu(absentDevice().device);
  const inFloat32 = () => gpu.tiling('conv2d', wide).direct;
  const inFloat16 = () => gpu.tiling('conv2d', half, wide).direct;
  const initial = inFloat32();
  gpu.choose('conv2d', half, { variant: 'direct', tuning: { TM: 4 } });
  expect(inFloat32()).toEqual(initial);
  expect(inFloat16()).toEqual({ TM: 4 });
  gpu.choose('conv2d', wide, { variant: 'direct', tuning: { TM: 16 } });
  expect(inFloat16()).toEqual({ TM: 4 });
  gpu.choose('conv2d', half, undefined);
  expect(inFloat16()).toEqual({ TM: 16 });
});

const current = currentFingerprints;
const matrixUnit = { M: 16, N: 16, K: 16 };
const device: TunedDevice = {
  adapter: 'Some GPU',
  driver: 'driver 1.2',
  isSoftware: false,
  subgroupSize: 32,
  matrixUnit,
};
const choices: Readonly<Record<string, Choice>> = {
  a: { variant: 'direct', tuning: { TM: 4 } },
  b: { variant: 'subgroups', tuning: { LANES: 32, TM: 32 } },
};
const table: TuningTable = {
  adapter: device.adapter,
  driver: device.driver,
  subgroupSize: 32,
  date: '2026-11-25',
  shaders: current({ conv2d: choices }),
  choices: { conv2d: choices },
};

describe('whether a table fits', () => {
  test('all of it, on the device it was made on', () => {
    expect(fittingChoices(table, device, current)).toEqual({ choices: expect.objectContaining(table.choices) as unknown, ignored: undefined }); // prettier-ignore
  });

  test.each([
    [{ adapter: 'Another GPU' }, 'it was made on Some GPU, and this is Another GPU'],
    [{ driver: 'driver 1.3' }, 'it was made with driver driver 1.2, and this is driver 1.3'],
  ])('not on %j', (other, why) => {
    expect(fittingChoices(table, { ...device, ...other }, current)).toEqual({ choices: {}, ignored: why });
  });

  test('but for kernels whose shaders have changed, and subgroups of another size', () => {
    const changed = fittingChoices(table, device, () => ({ conv2d: 'ffffffff' }));
    expect(changed.choices.conv2d).toBeUndefined();
    expect(changed.ignored).toBe('the shaders of conv2d have changed since');
    const narrow = fittingChoices(table, { ...device, subgroupSize: 16 }, current);
    expect(narrow.choices.conv2d).toEqual({ a: { variant: 'direct', tuning: { TM: 4 } } });
    expect(narrow.ignored).toBe('1 of its tilings are for subgroups or matrix units of another size');
  });

  test('but for matrix units of another size', () => {
    const tuning = { ...matrixUnit, LANES: 32, TM: 2 };
    const matrixChoices = { conv2d: { a: { variant: 'matrix', tuning } } } as const;
    const ofMatrix = { ...table, shaders: current(matrixChoices), choices: matrixChoices };
    expect(fittingChoices(ofMatrix, device, current)).toMatchObject({ choices: { conv2d: { a: { tuning } } }, ignored: undefined }); // prettier-ignore
    for (const other of [{ matrixUnit: undefined }, { matrixUnit: { ...matrixUnit, N: 8 } }, { subgroupSize: 64 }])
      expect(fittingChoices(ofMatrix, { ...device, ...other }, current)).toMatchObject({
        choices: { conv2d: {} },
        ignored: '1 of its tilings are for subgroups or matrix units of another size',
      });
  });

  test("that comes with the package: a GPU's own driver, and on a software device any with its subgroup size", () => {
    const choicesOf = (tables: TuningTable[], on: Partial<TunedDevice>) =>
      shippedChoices(tables, { ...device, ...on }, currentFingerprints).map(({ conv2d }) => conv2d);
    const all = [table.choices.conv2d];
    expect(choicesOf([table], {})).toEqual(all);
    expect(choicesOf([table], { driver: 'driver 1.3' })).toEqual([undefined]);
    expect(choicesOf([table], { adapter: 'Another GPU' })).toEqual([]);
    expect(choicesOf([table], { isSoftware: true, driver: 'driver 1.3' })).toEqual(all);
    expect(choicesOf([table], { isSoftware: true, subgroupSize: 16 })).toEqual([]);
  });
});

test('what was tuned goes over what came with the device, and that over the default', () => {
  const gpu = new Gpu(absentDevice().device, { choices: [table.choices] });
  expect(gpu.tiling('conv2d', 'a').direct).toEqual({ TM: 4 });
  gpu.choose('conv2d', 'a', { variant: 'direct', tuning: { TM: 8 } });
  expect(gpu.tiling('conv2d', 'a').direct).toEqual({ TM: 8 });
  gpu.choose('conv2d', 'a', undefined);
  expect(gpu.tiling('conv2d', 'a').direct).toEqual({ TM: 4 });
  expect(gpu.tiling('conv2d', 'c')).toBe(gpu.tiling('conv2d'));
});

test('an untuned GPU gets the staged tiles that its limits allow, in two buffers where they fit', () => {
  // A tile takes 4 (TM ROWS + TN COLS) (DEPTH + 4) bytes: 128 x 64, 8 deep, 9,216; 64 x 64, 16 deep, 10,240; 32 x 32 and
  // 16 x 32, 32 deep, 9,216 and 6,912; 128 x 128, 8 deep, 12,288; 128 x 64, 32 deep, 27,648; 128 x 64 and 64 x 32, 16 deep,
  // 15,360 and 7,680.
  const tiles = (limits: Partial<typeof defaultLimits>): string[] => {
    const tilings = defaultTilings(
      { isSoftware: false, subgroupSize: 32, matrixUnit },
      { ...defaultLimits, ...limits },
    );
    return TUNED_KERNELS.map((kernel) =>
      (tilings[kernel]?.staged ?? []).map(({ COLS = 0, ROWS = 0, BUFFERS }) => `${COLS * ROWS}/${BUFFERS}`).join(' '),
    );
  };
  expect(tiles({})).toEqual(['128/1 64/1 128/1 64/2', '256/1 256/1 128/1 64/2', '256/1 256/1 128/2']);
  expect(tiles({ maxComputeInvocationsPerWorkgroup: 128 })).toEqual(['128/1 64/1 128/1 64/2', '128/1 64/2', '128/2']);
  expect(tiles({ maxComputeWorkgroupStorageSize: 10_240 })).toEqual(['128/1 64/1 128/1 64/1', '256/1 128/1 64/1', '256/1 128/1']); // prettier-ignore
  expect(tiles({ maxComputeWorkgroupStorageSize: 49_152 })).toEqual(['128/2 64/2 128/2 64/2', '256/2 256/1 256/2 128/2 64/2', '256/2 256/2 128/2']); // prettier-ignore
  expect(tiles({ maxComputeWorkgroupStorageSize: 4096 })).toEqual(['', '', '']);
});

test('and tiles of its matrix unit, if it has one', () => {
  const large = { ...defaultLimits, maxComputeWorkgroupStorageSize: 49_152 };
  const tiles = (unit: typeof matrixUnit | undefined, subgroupSize: number | undefined) =>
    defaultTilings({ isSoftware: false, subgroupSize, matrixUnit: unit }, large).conv2d?.matrix?.map(
      ({ TM = 0, ROWS = 0, M = 0, TN = 0, COLS = 0, N = 0 }) => `${TM * ROWS * M}x${TN * COLS * N} in ${ROWS * COLS}`,
    );
  expect(tiles(matrixUnit, 32)).toEqual(['128x128 in 8', '64x64 in 8', '32x64 in 2']); // of 16 the threads are too many
  large.maxComputeInvocationsPerWorkgroup = 512;
  expect(tiles(matrixUnit, 32)).toEqual(['128x128 in 16', '64x64 in 8', '32x64 in 2']);
  expect(tiles({ M: 8, N: 16, K: 16 }, 8)).toEqual(['128x128 in 16', '64x64 in 8', '32x64 in 2']); // 128 sums in a lane at most
  expect(tiles(undefined, 32)).toBeUndefined();
  expect(tiles(matrixUnit, undefined)).toBeUndefined();
});

test('the tables that come with the package are of the shaders as they are: thaw bench --tune renews them', () => {
  for (const { shaders, choices } of shippedTables) expect(shaders).toEqual(currentFingerprints(choices));
});
