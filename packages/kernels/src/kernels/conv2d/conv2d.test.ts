/** All three directions of the convolution, every case and several tilings, against the float64 definition. */
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../testing/absent-device.ts';
import { random } from '../../testing/compare.ts';
import { checkConvolutions, checkEpilogue, plansOf } from '../../testing/convolutions.ts';
import { gpu } from '../../testing/device.ts';
import { describePrecisions } from '../../testing/precisions.ts';
import type { Precision } from '../../wgsl/shader.ts';
import { edgeCases, resnet50Cases, type Conv2dCase } from './conv2d.cases.ts';
import { planConv2d } from './conv2d.plan.ts';
import { deviceKind } from '../../runtime/device.ts';
import { pipelineKey, type Limits } from '../../runtime/plan.ts';
import { defaultTilings, type Tiling, type Tilings } from '../../tuning/tilings.ts';

const { limits } = gpu;
const named = (name: string, cases = edgeCases): Conv2dCase => cases.find((c) => c.name === name)!;
const inFloat32 = (tiling: Tiling | Tilings) => ({ tiling, precision: 'float32', draw: random }) as const;

const software: Tiling = { direct: { TM: 8, TN: 8, COLS: 8, ROWS: 1 } };
const { subgroupSize: LANES } = deviceKind(gpu.device);
const tilings: readonly Tiling[] = [
  {},
  software,
  { direct: { TM: 4, TN: 2, COLS: 8, ROWS: 4 } },
  { direct: { TM: 1, TN: 1, COLS: 32, ROWS: 2 } },
  { staged: [{ TM: 8, TN: 8, COLS: 16, ROWS: 16, DEPTH: 16 }] },
  { staged: [{ TM: 4, TN: 4, COLS: 8, ROWS: 4, DEPTH: 8, BUFFERS: 2 }] },
  // The subgroup variants need subgroups of one known size.
  ...(LANES === undefined ? [] : [{ subgroups: { LANES, TM: LANES } }, { subgroups: { LANES, TM: 2 * LANES } }]),
];
// What this device gets, by direction.
const own: Tilings = {
  conv2d: gpu.tiling('conv2d'),
  'conv2d-backward-input': gpu.tiling('conv2d-backward-input'),
  'conv2d-backward-filter': gpu.tiling('conv2d-backward-filter'),
};
// What a GPU gets: staged tiles, the largest that still make a grid, and parts of a sum where none does.
const ofGpus = defaultTilings({ isSoftware: false, subgroupSize: 32, matrixUnit: undefined }, limits);
describePrecisions((precision, draw) => {
  describe.each(tilings)('edges, tiling %j', (tiling) => {
    test.each(edgeCases)('$name', (c) => checkConvolutions(c, { tiling, precision, draw }));
  });
  test.each(resnet50Cases(32, 2))('ResNet-50 $name', (c) => checkConvolutions(c, { tiling: own, precision, draw }));
  test.each(tilings)('bias, residual and ReLU in the same kernel, tiling %j', (tiling) =>
    checkEpilogue(named('channels in fours'), { tiling, precision, draw }),
  );
});
test.each(resnet50Cases(32, 2))('ResNet-50 $name, staged', (c) => checkConvolutions(c, inFloat32(ofGpus)));
test('staged tiles are the largest that fill the device', () => {
  const { shape } = named('conv3 at 224: 1x1 reduce', resnet50Cases(224, 4));
  const tileOf = (batch: number) => {
    const { TM = 0, ROWS = 0, TN = 0, COLS = 0 } = planConv2d({ ...shape, batch }, {}, limits, ofGpus.conv2d)[0]?.tuning ?? {}; // prettier-ignore
    return `${TM * ROWS} x ${TN * COLS}`;
  };
  // 784 rows an image, 128 columns, 264 workgroups: 2 x 7 of 128 x 64 an image are enough for 19 images, 2 x 12.25 of 64 x 64
  // for 11, 4 x 24.5 of 32 x 32 for 3.
  expect([32, 16, 4, 1].map(tileOf)).toEqual(['128 x 64', '64 x 64', '32 x 32', '16 x 32']);
});
test('a tile is not taken where a smaller one leaves far less of its work to be thrown away', () => {
  const { shape } = named('conv5 at 32: 1x1 expand', resnet50Cases(32, 32));
  // 32 rows: a tile of 128 of them would throw three quarters away.
  expect(planConv2d(shape, {}, limits, { ...ofGpus.conv2d, workgroups: 1 })[0]?.tuning).toMatchObject({
    TM: 2,
    ROWS: 16,
  });
});
test('where no tile fills the device, parts of the channels are summed apart, with the same epilogue', async () => {
  const { shape } = named('conv5 at 32: 1x1 expand', resnet50Cases(32, 2));
  const few: Tiling = { staged: [{ TM: 4, TN: 4, COLS: 8, ROWS: 8, DEPTH: 32 }], workgroups: 132 };
  const ofX: Conv2dCase = { name: 'parts of x', shape: { ...shape, inC: 276, outC: 68 } };
  const ofDy: Conv2dCase = { name: 'parts of dy', shape: { ...shape, inC: 68, outC: 276 } };
  const counts = [ofX, ofDy].map((c) => plansOf(c.shape, few, 'float32').map((plans) => plans.length));
  expect(counts).toEqual([[2, 1, 1], [1, 2, 1]]); // prettier-ignore
  for (const c of [ofX, ofDy]) await checkConvolutions(c, inFloat32(few));
  await checkEpilogue(ofX, inFloat32(few));
});
test.each(resnet50Cases(64, 1))('ResNet-50 $name', (c) => checkConvolutions(c, inFloat32(own)));
test.each(resnet50Cases(224, 1).filter(({ name }) => /conv5.*(strided|projection)/.test(name)))(
  'ResNet-50 $name',
  (c) => checkConvolutions(c, inFloat32(own)),
);

test('what float32 may not bind float16 may, at half the bytes', () => {
  const s = edgeCases.find(({ name }) => name === 'stride 3 larger than the kernel')!.shape;
  const [x, w, y] = [s.batch * s.inH * s.inW * s.inC, s.kH * s.kW * s.inC * s.outC, s.batch * s.outH * s.outW * s.outC];
  const bytes = 2 * Math.max(x, w, y);
  const plan = (precision: Precision, most: number) =>
    plansOf(s, {}, precision, { ...defaultLimits, maxStorageBufferBindingSize: most }).flat();
  expect(() => plan('float32', bytes)).toThrow(`more than the ${bytes.toLocaleString('en')} this device can bind`);
  expect(() => plan('float16', bytes - 1)).toThrow(`takes ${bytes.toLocaleString('en')} bytes`);
  const types = plan('float16', bytes).map(({ outputs }) => Object.values(outputs)[0]?.dtype);
  expect(types).toEqual(['float16', 'float16', 'float32', 'float32']); // parts of the filter's gradient and their sum
});

test('a pipeline key never holds a shape', () => {
  expect(new Set(edgeCases.flatMap((c) => planConv2d(c.shape, {}, limits).map(pipelineKey))).size).toBe(1);
});

test('a grid over the device limit is folded, and refused by name when the fold is too large', () => {
  const small: Limits = {
    maxComputeWorkgroupsPerDimension: 8,
    maxStorageBufferBindingSize: 2 ** 30,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 2 ** 14,
    maxStorageBuffersPerShaderStage: 8,
  };
  const s = edgeCases[7]!.shape;
  expect(() => planConv2d(s, {}, small, software)).toThrow(
    "conv2d: 1 x 116 workgroups are more than this device's 8; use a smaller batch",
  );
  const [folded] = planConv2d(s, {}, { ...small, maxComputeWorkgroupsPerDimension: 60 }, software);
  expect(folded?.workgroups).toEqual([1, 58, 2]);
});
test('one pipeline does for every epilogue', () => {
  const { shape } = named('channels in fours');
  const keys = [{}, { bias: true }, { bias: true, relu: true }, { bias: true, residual: true, relu: true }].flatMap(
    (epilogue) => tilings.map((tiling) => planConv2d(shape, epilogue, limits, tiling)[0]!),
  );
  expect(new Set(keys.map(pipelineKey)).size).toBe(new Set(tilings.map((tiling) => pipelineKey(planConv2d(shape, {}, limits, tiling)[0]!))).size); // prettier-ignore
});
test('on a software device few rows take the short program', () => {
  const { shape } = named('channels in fours');
  const { conv2d: tiling = {} } = defaultTilings({ isSoftware: true, subgroupSize: 8, matrixUnit: undefined }, limits);
  const rowsOf = (batch: number) => planConv2d({ ...shape, outH: 16, outW: 16, batch }, {}, limits, tiling)[0]?.tuning['TM']; // prettier-ignore
  expect(rowsOf(1)).toBe(8);
  expect(rowsOf(2)).toBe(32);
  // Of many images a batch is trained on, again and again: tiles that reuse the filters more are worth their compilation.
  const small = planConv2d({ ...shape, outH: 1, outW: 1, batch: 32 }, {}, limits, tiling)[0];
  expect(small?.tuning['TM']).toBe(32);
});
