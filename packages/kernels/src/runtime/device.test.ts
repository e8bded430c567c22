// What a device is asked for, and which of an adapter's matrix units the shaders can use.
import { expect, test } from 'vitest';
import { matrixUnitOf } from './device.ts';

const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
type Config = [component: string, result: string, M: number, N: number, K: number];
const adapterInfo = (configs: readonly Config[], sizes: readonly [number, number] = [32, 32]): GPUAdapterInfo => {
  const subgroupMatrixConfigs = configs.map(([componentType, resultComponentType, M, N, K]) => ({ componentType, resultComponentType, M, N, K })); // prettier-ignore
  const info: Partial<GPUAdapterInfo> & { subgroupMatrixConfigs: unknown } = { vendor: '', subgroupMinSize: sizes[0], subgroupMaxSize: sizes[1], subgroupMatrixConfigs }; // prettier-ignore
  return info as GPUAdapterInfo;
};
const unit = (info: GPUAdapterInfo, features: readonly string[] = FEATURES) => matrixUnitOf(info, new Set(features));

// As NVIDIA's driver lists its products, some of them.
const nvidia: readonly Config[] = [['f16', 'f16', 16, 16, 16], ['f16', 'f32', 16, 8, 8], ['f16', 'f32', 16, 16, 16], ['f16', 'f32', 16, 8, 16], ['i8', 'i32', 16, 16, 32]]; // prettier-ignore

test('the largest product of float16 into float32', () => {
  expect(unit(adapterInfo(nvidia))).toEqual({ M: 16, N: 16, K: 16 });
  expect(unit(adapterInfo([['f16', 'f32', 8, 16, 16]], [16, 16]))).toEqual({ M: 8, N: 16, K: 16 });
});

test.each([
  ['float32 alone, as on Metal', adapterInfo([['f32', 'f32', 8, 8, 8], ['f16', 'f16', 8, 8, 8]])], // prettier-ignore
  ['sides that are no multiples of eight halves', adapterInfo([['f16', 'f32', 16, 16, 4]])],
  ['subgroups of several sizes', adapterInfo(nvidia, [16, 32])],
  ['no products', adapterInfo([])],
])('none: %s', (_, info) => {
  expect(unit(info)).toBeUndefined();
});

test.each(FEATURES)('none without %s', (feature) => {
  const features = FEATURES.filter((name) => name !== feature);
  expect(unit(adapterInfo(nvidia), features)).toBeUndefined();
});

test('none where the implementation does not know of them', () => {
  const info = { subgroupMinSize: 32, subgroupMaxSize: 32 } as Partial<GPUAdapterInfo> as GPUAdapterInfo;
  expect(unit(info)).toBeUndefined();
});
