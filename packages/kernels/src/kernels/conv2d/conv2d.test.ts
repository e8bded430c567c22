/** All three directions of the convolution, every case and several tilings, against the float64 definition. */
import { describe, expect, test } from 'vitest';
import { expectClose, random, storedBound, sumBound } from '../../testing/compare.ts';
import { defaultLimits } from '../../testing/absent-device.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { describePrecisions, type Draw } from '../../testing/precisions.ts';
import type { Precision } from '../../wgsl/shader.ts';
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

/** Inputs and what they give, by case and precision: several tilings make the same. */
const known = new Map<string, ReturnType<typeof reference>>();
function reference({ shape: s }: Conv2dCase, draw: Draw) {
  const [x, w, dy] = [draw(xSize(s), 1), draw(wSize(s), 2), draw(ySize(s), 3)];
  const y = conv2dReference(s, x, w);
  const dx = conv2dBackwardInputReference(s, dy, w);
  return { x, w, dy, y, dx, dw: conv2dBackwardFilterReference(s, x, dy) };
}

async function checkAll(c: Conv2dCase, tiling: Tiling, precision: Precision, draw: Draw): Promise<void> {
  const { shape: s } = c;
  const key = `${c.name} ${precision}`;
  const want = known.get(key) ?? reference(c, draw);
  known.set(key, want);
  const { x, w, dy } = want;
  const { y = [] } = await runPlans([planConv2d(s, {}, limits, tiling, precision)], { x, w });
  expectClose(y, want.y, storedBound(want.y, sumBound(s.kH * s.kW * s.inC), precision));
  const { dx = [] } = await runPlans([planConv2dBackwardInput(s, limits, tiling, precision)], { dy, w });
  expectClose(dx, want.dx, storedBound(want.dx, sumBound(s.kH * s.kW * s.outC), precision));
  const { dw, parts = [] } = await runPlans(planConv2dBackwardFilter(s, limits, tiling, precision), { x, dy });
  expectClose(dw ?? parts, want.dw, sumBound(s.batch * s.outH * s.outW));
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
// What a GPU gets: staged tiles, the largest that still make a grid.
const ofGpus = defaultTilings({ isSoftware: false, subgroupSize: 32 }, limits);
describePrecisions((precision, draw) => {
  describe.each(tilings)('edges, tiling %j', (tiling) => {
    test.each(edgeCases)('$name', (c) => checkAll(c, tiling, precision, draw));
  });
  test.each(resnet50Cases(32, 2))('ResNet-50 $name', (c) => checkAll(c, gpu.tiling('conv2d'), precision, draw));

  test.each(tilings)('bias, residual and ReLU in the same kernel, tiling %j', async (tiling) => {
    const s = edgeCases.find(({ name }) => name === 'channels in fours')!.shape;
    const x = draw(xSize(s), 1), w = draw(wSize(s), 2), bias = random(s.outC, 3), residual = draw(ySize(s), 4); // prettier-ignore
    const sum = conv2dReference(s, x, w);
    const want = sum.map((v, i) => Math.max(0, v + bias[i % s.outC]! + residual[i]!));
    const epilogue = { bias: true, residual: true, relu: true };
    const { y = [] } = await runPlans([planConv2d(s, epilogue, limits, tiling, precision)], { x, w, bias, residual });
    expectClose(y, want, storedBound(want, sumBound(s.kH * s.kW * s.inC + 2), precision));
  });
});
test.each(resnet50Cases(32, 2))('ResNet-50 $name, staged', (c) => checkAll(c, ofGpus.conv2d ?? {}, 'float32', random));
test('staged tiles are the largest that fill the device', () => {
  const { shape } = resnet50Cases(224, 4).find(({ name }) => name === 'conv3 at 224: 1x1 reduce')!;
  const tileOf = (batch: number) => planConv2d({ ...shape, batch }, {}, limits, ofGpus.conv2d).tuning;
  expect(tileOf(16)).toMatchObject({ TM: 8, TN: 8, COLS: 8 });
  expect(tileOf(1)).toMatchObject({ TM: 4, COLS: 8 });
});
test.each(resnet50Cases(64, 1))('ResNet-50 $name', (c) => checkAll(c, gpu.tiling('conv2d'), 'float32', random));
test.each(resnet50Cases(224, 1).filter(({ name }) => /conv5.*(strided|projection)/.test(name)))(
  'ResNet-50 $name',
  (c) => checkAll(c, gpu.tiling('conv2d'), 'float32', random),
);

test('what float32 may not bind float16 may, at half the bytes', () => {
  const s = edgeCases.find(({ name }) => name === 'stride 3 larger than the kernel')!.shape;
  const bytes = 2 * Math.max(xSize(s), wSize(s), ySize(s));
  const plan = (precision: Precision, most: number) => {
    const small = { ...defaultLimits, maxStorageBufferBindingSize: most };
    return [
      planConv2d(s, {}, small, {}, precision),
      planConv2dBackwardInput(s, small, {}, precision),
      ...planConv2dBackwardFilter(s, small, {}, precision),
    ];
  };
  expect(() => plan('float32', bytes)).toThrow(`more than the ${bytes.toLocaleString('en')} this device can bind`);
  expect(() => plan('float16', bytes - 1)).toThrow(`takes ${bytes.toLocaleString('en')} bytes`);
  const types = plan('float16', bytes).map(({ outputs }) => Object.values(outputs)[0]?.dtype);
  expect(types).toEqual(['float16', 'float16', 'float32', 'float32']); // parts of the filter's gradient and their sum
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
