// From tensors under a source's names to Keras's: names, layouts, and weights that do not fit.
import { describe, expect, test } from 'vitest';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { networkVariables } from './trunk-weights.ts';
import { kerasNameOfDataset } from './keras-h5-names.ts';
import {
  fromKerasSafetensors,
  fromTorchvision,
  randomWeights,
  readSafetensors,
  torchvisionName,
  writeSafetensors,
  type SafetensorsInput,
} from './index.ts';

const options = { label: 'weights.safetensors', hash: 'h', architecture: TINY };
type Tensors = Map<string, SafetensorsInput>;

/** A tiny network's file under torchvision's names: OIHW filters, [out, in] matrix, counters. */
function torchvisionFile(change: (tensors: Tensors) => void = () => undefined): Uint8Array {
  const tensors: Tensors = new Map();
  let seed = 1;
  for (const { name, shape } of networkVariables('torchvision', true, 5, TINY)) {
    const [height = 1, width = 1, inChannels = 1, outChannels = 1] = shape;
    const stored = shape.length === 4 ? [outChannels, inChannels, height, width] : [...shape].reverse();
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(torchvisionName(name), { shape: stored, data: noise(size, seed++) });
  }
  tensors.set('bn1.num_batches_tracked', { shape: [], data: new BigInt64Array([5n]) });
  change(tensors);
  return writeSafetensors(tensors);
}

describe('torchvision', () => {
  test('names', () => {
    expect(torchvisionName('conv1_conv/kernel')).toBe('conv1.weight');
    expect(torchvisionName('conv1_bn/moving_variance')).toBe('bn1.running_var');
    expect(torchvisionName('conv2_block1_1_conv/kernel')).toBe('layer1.0.conv1.weight');
    expect(torchvisionName('conv3_block4_3_bn/beta')).toBe('layer2.3.bn3.bias');
    expect(torchvisionName('conv5_block1_0_conv/kernel')).toBe('layer4.0.downsample.0.weight');
    expect(torchvisionName('conv5_block1_0_bn/gamma')).toBe('layer4.0.downsample.1.weight');
    expect(torchvisionName('predictions/bias')).toBe('fc.bias');
    expect(() => torchvisionName('conv1_conv/depth')).toThrow(/not a variable/);
    const names = networkVariables('torchvision', true, 1000).map(({ name }) => torchvisionName(name));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(53 + 53 * 4 + 2);
  });

  test('OIHW becomes HWIO, and the top’s matrix is transposed', () => {
    const file = readSafetensors(torchvisionFile());
    const weights = fromTorchvision(file, options);
    expect(weights).toMatchObject({ variant: 'torchvision', includeTop: true, topClasses: 5, hash: 'h' });
    expect(weights.tensors.get('conv1_conv/kernel')!.shape).toEqual([7, 7, 3, 3]);
    const stored = new Float32Array(file.tensors.get('layer1.0.conv2.weight')!.bytes.slice().buffer); // [2, 2, 3, 3]
    const { shape, data } = weights.tensors.get('conv2_block1_2_conv/kernel')!;
    expect(shape).toEqual([3, 3, 2, 2]);
    const [o, i, y, x] = [1, 0, 2, 1];
    expect(data[((y * 3 + x) * 2 + i) * 2 + o]).toBe(stored[((o * 2 + i) * 3 + y) * 3 + x]);
    const matrix = new Float32Array(file.tensors.get('fc.weight')!.bytes.slice().buffer); // [5, 6]
    expect(weights.tensors.get('predictions/kernel')!.shape).toEqual([6, 5]);
    expect(weights.tensors.get('predictions/kernel')!.data[2 * 5 + 4]).toBe(matrix[4 * 6 + 2]);
  });

  test.each<[string, (tensors: Tensors) => void, RegExp]>([
    [
      'a missing tensor',
      (t) => t.delete('layer1.1.bn2.running_mean'),
      /^weights\.safetensors: tensor 'layer1\.1\.bn2\.running_mean' \(conv2_block2_2_bn\/moving_mean\) of shape \[2\] is missing/,
    ],
    [
      'a misshapen filter',
      (t) => t.set('layer1.0.conv1.weight', { shape: [2, 4, 1, 1], data: noise(8) }),
      /'layer1\.0\.conv1\.weight' \(conv2_block1_1_conv\/kernel\) has shape \[1, 1, 4, 2\], but .* needs \[1, 1, 3, 2\]/,
    ],
    [
      'a deeper network',
      (t) => t.set('layer1.2.conv1.weight', { shape: [1], data: noise(1) }),
      /'layer1\.2\.conv1\.weight', which ResNet-50 does not have/,
    ],
    [
      'whole numbers',
      (t) => t.set('bn1.bias', { shape: [3], data: new Int32Array(3) }),
      /tensor 'bn1\.bias' is I32; weights must be F32/,
    ],
    [
      'Keras names',
      (t) => t.set('conv1_conv/kernel', { shape: [1], data: noise(1) }),
      /choose the weight source tf-official/,
    ],
  ])('%s is refused', (_, change, message) => {
    expect(() => fromTorchvision(readSafetensors(torchvisionFile(change)), options)).toThrow(message);
  });
});

describe('Keras’s names in safetensors', () => {
  const keras = { ...options, variant: 'tf-official' as const };
  const tensors = (): Tensors =>
    new Map(randomWeights({ seed: 1, variant: 'tf-official', architecture: TINY }).tensors);
  const read = (map: Tensors, metadata?: Record<string, string>): unknown =>
    fromKerasSafetensors(readSafetensors(writeSafetensors(map, metadata)), keras);

  test('without top; F16 kernels become float32', () => {
    const map = tensors();
    map.set('conv1_conv/kernel', { shape: [7, 7, 3, 3], data: new Uint16Array(441).fill(0x3800), dtype: 'F16' });
    const weights = read(map, { architecture: 'resnet50', variant: 'tf-official-v1.5' });
    expect(weights).toMatchObject({ variant: 'tf-official', includeTop: false, topClasses: 0 });
    expect((weights as ReturnType<typeof randomWeights>).tensors.get('conv1_conv/kernel')!.data[440]).toBe(0.5);
  });

  test('what does not fit is refused', () => {
    const without = tensors();
    without.delete('conv2_block1_0_bn/gamma');
    expect(() => read(without)).toThrow(
      /tensor 'conv2_block1_0_bn\/gamma' of shape \[4\] is missing; is this a ResNet-50\?/,
    );
    const misshapen = tensors().set('conv1_bn/beta', { shape: [4], data: noise(4) });
    expect(() => read(misshapen)).toThrow(
      /'conv1_bn\/beta' has shape \[4\], but the tf-official ResNet-50 needs \[3\]/,
    );
    const biased = tensors().set('conv9_conv/bias', { shape: [3], data: noise(3) });
    expect(() => read(biased)).toThrow(/'conv9_conv\/bias', which ResNet-50 does not have/);
    expect(() => read(tensors(), { architecture: 'resnet101' })).toThrow(/architecture 'resnet101', not 'resnet50'/);
    expect(() => read(tensors(), { variant: 'torchvision' })).toThrow(/variant 'torchvision', not 'tf-official'/);
    expect(() => fromKerasSafetensors(readSafetensors(torchvisionFile()), keras)).toThrow(
      /choose the weight source torchvision/,
    );
    // Biases in front of batch-norm: the keras variant, passed off as another.
    const withBias = new Map(randomWeights({ seed: 1, variant: 'keras', architecture: TINY }).tensors);
    expect(() => read(withBias)).toThrow(/'conv1_conv\/bias'.*which ResNet-50 does not have/);
  });
});

test('names in Keras’s h5 files, new and old', () => {
  expect(kerasNameOfDataset('conv1_conv', 'kernel:0')).toBe('conv1_conv/kernel');
  expect(kerasNameOfDataset('conv1_bn', 'moving_variance:0')).toBe('conv1_bn/moving_variance');
  expect(kerasNameOfDataset('res2a_branch2b', 'kernel:0')).toBe('conv2_block1_2_conv/kernel');
  expect(kerasNameOfDataset('res4f_branch2c', 'res4f_branch2c_b:0')).toBe('conv4_block6_3_conv/bias');
  expect(kerasNameOfDataset('bn5c_branch2a', 'bn5c_branch2a_running_std:0')).toBe('conv5_block3_1_bn/moving_variance');
  expect(kerasNameOfDataset('bn3a_branch1', 'gamma_1:0')).toBe('conv3_block1_0_bn/gamma');
  expect(kerasNameOfDataset('bn_conv1', 'bn_conv1_beta:0')).toBe('conv1_bn/beta');
  expect(kerasNameOfDataset('conv1', 'conv1_W:0')).toBe('conv1_conv/kernel');
  expect(kerasNameOfDataset('fc1000', 'kernel:0')).toBe('predictions/kernel');
  expect(kerasNameOfDataset('adam', 'iteration:0')).toBeUndefined();
});

describe('random', () => {
  test('the same by seed, another by another', () => {
    const values = (seed: number): Float32Array =>
      randomWeights({ seed, architecture: TINY }).tensors.get('conv2_block1_2_conv/kernel')!.data;
    expect(values(3)).toEqual(values(3));
    expect(values(3)).not.toEqual(values(4));
    expect(() => randomWeights({ seed: 0.5 })).toThrow(/whole number, got 0\.5/);
  });

  test('He-normal: mean 0, variance 2 / fan-in, none past two deviations of the uncut normal', () => {
    const { data } = randomWeights({ seed: 1 }).tensors.get('conv3_block2_2_conv/kernel')!; // 3*3*128*128 = 147,456 values
    const fanIn = 9 * 128;
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const variance = data.reduce((a, b) => a + b * b, 0) / data.length;
    // The mean's standard error is sqrt(variance / n) = 1.1e-4 and the variance's about 0.3 %: five of each.
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(2 / fanIn / data.length));
    expect(Math.abs(variance / (2 / fanIn) - 1)).toBeLessThan(0.015);
    expect(data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)).toBeLessThanOrEqual(
      (2 * Math.sqrt(2 / fanIn)) / 0.8796 + 1e-6,
    );
  });

  test('a test helper moves batch-norms off identity', () => {
    const { tensors } = randomWeights({ seed: 1, architecture: TINY });
    disturbBatchNorm(tensors);
    expect([...tensors.get('conv1_bn/moving_variance')!.data].every((v) => v > 0 && v !== 1)).toBe(true);
  });
});
