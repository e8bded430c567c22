/** All three directions of the convolution, every case and several tilings, against the float64 definition. */
import { describe, expect, test } from 'vitest';
import { expectClose, random, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { planConv2dBackwardFilter } from '../conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from '../conv2d-backward-input/conv2d-backward-input.plan.ts';
import { edgeCases, resnet50Cases, type Conv2dCase } from './conv2d.cases.ts';
import { planConv2d } from './conv2d.plan.ts';
import { conv2dBackwardFilterReference, conv2dBackwardInputReference, conv2dReference } from './conv2d.ref.ts';
import { deviceKind } from '../../runtime/device.ts';
import { pipelineKey } from '../../runtime/plan.ts';
import { defaultTilings, type Tiling } from '../../tuning/tilings.ts';

const { limits } = gpu;
const xSize = (s: Conv2dCase['shape']) => s.batch * s.inH * s.inW * s.inC;
const ySize = (s: Conv2dCase['shape']) => s.batch * s.outH * s.outW * s.outC;
const wSize = (s: Conv2dCase['shape']) => s.kH * s.kW * s.inC * s.outC;

async function checkAll({ shape: s }: Conv2dCase, tiling: Tiling): Promise<void> {
  const x = random(xSize(s), 1);
  const w = random(wSize(s), 2);
  const dy = random(ySize(s), 3);
  const { y = [] } = await runPlans([planConv2d(s, {}, limits, tiling)], { x, w });
  expectClose(y, conv2dReference(s, x, w), sumBound(s.kH * s.kW * s.inC));
  const { dx = [] } = await runPlans([planConv2dBackwardInput(s, limits, tiling)], { dy, w });
  expectClose(dx, conv2dBackwardInputReference(s, dy, w), sumBound(s.kH * s.kW * s.outC));
  const filter = await runPlans(planConv2dBackwardFilter(s, limits, tiling), { x, dy });
  expectClose(
    filter['dw'] ?? filter['parts'] ?? [],
    conv2dBackwardFilterReference(s, x, dy),
    sumBound(s.batch * s.outH * s.outW),
  );
}

const software: Tiling = { direct: { TM: 8, TN: 8, COLS: 8, ROWS: 1 } };
const { subgroupSize: LANES } = deviceKind(gpu.device);
const tilings: readonly Tiling[] = [
  {},
  software,
  { direct: { TM: 4, TN: 2, COLS: 8, ROWS: 4 } },
  { direct: { TM: 1, TN: 1, COLS: 32, ROWS: 2 } },
  { staged: [{ TM: 8, TN: 8, COLS: 16, ROWS: 16, DEPTH: 16 }] },
  { staged: [{ TM: 4, TN: 4, COLS: 8, ROWS: 4, DEPTH: 8 }] },
  // The subgroup variants need subgroups of one known size.
  ...(LANES === undefined ? [] : [{ subgroups: { LANES, TM: LANES } }, { subgroups: { LANES, TM: 2 * LANES } }]),
];
describe.each(tilings)('edges, tiling %j', (tiling) => {
  test.each(edgeCases)('$name', (c) => checkAll(c, tiling));
});
test.each(resnet50Cases(32, 2))('ResNet-50 $name', (c) => checkAll(c, gpu.tiling('conv2d')));
// What a GPU gets: staged tiles, the largest that still make a grid.
const ofGpus = defaultTilings({ isSoftware: false, subgroupSize: 32 });
test.each(resnet50Cases(32, 2))('ResNet-50 $name, staged', (c) => checkAll(c, ofGpus.conv2d ?? {}));
test('staged tiles are the largest that fill the device', () => {
  const { shape } = resnet50Cases(224, 4).find(({ name }) => name === 'conv3 at 224: 1x1 reduce')!;
  const tileOf = (batch: number) => planConv2d({ ...shape, batch }, {}, limits, ofGpus.conv2d).tuning;
  expect(tileOf(16)).toMatchObject({ TM: 8, TN: 8, COLS: 8 });
  expect(tileOf(1)).toMatchObject({ TM: 4, COLS: 8 });
});
test.each(resnet50Cases(64, 1))('ResNet-50 $name', (c) => checkAll(c, gpu.tiling('conv2d')));
test.each(resnet50Cases(224, 1).filter(({ name }) => /conv5.*(strided|projection)/.test(name)))(
  'ResNet-50 $name',
  (c) => checkAll(c, gpu.tiling('conv2d')),
);

test.each(tilings)('bias, residual and ReLU in the same kernel, tiling %j', async (tiling) => {
  const s = edgeCases.find(({ name }) => name === 'channels in fours')!.shape;
  const x = random(xSize(s), 1), w = random(wSize(s), 2), bias = random(s.outC, 3), residual = random(ySize(s), 4); // prettier-ignore
  const sum = conv2dReference(s, x, w);
  const want = sum.map((v, i) => Math.max(0, v + bias[i % s.outC]! + residual[i]!));
  const { y = [] } = await runPlans([planConv2d(s, { bias: true, residual: true, relu: true }, limits, tiling)], {
    x,
    w,
    bias,
    residual,
  });
  expectClose(y, want, sumBound(s.kH * s.kW * s.inC + 2));
});

test('a pipeline key never holds a shape', () => {
  expect(new Set(edgeCases.map((c) => pipelineKey(planConv2d(c.shape, {}, limits)))).size).toBe(1);
});

test('a grid over the device limit is folded, and refused by name when the fold is too large', () => {
  const small = {
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
  expect(planConv2d(s, {}, { ...small, maxComputeWorkgroupsPerDimension: 60 }, software).workgroups).toEqual([
    1, 58, 2,
  ]);
});
