// Which tuned tiling a convolution gets, by precision.
import { expect, test } from 'vitest';
import { resnet50Cases } from '../kernels/conv2d/conv2d.cases.ts';
import { Gpu } from '../runtime/gpu.ts';
import { absentDevice } from '../testing/absent-device.ts';
import { convolutionBucket } from './tuned.ts';

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
