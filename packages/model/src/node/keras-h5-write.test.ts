// A written weight file, through the reader of Keras's own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disturbBatchNorm, TINY } from '../testing/tiny.ts';
import { randomWeights, type WeightTensor } from '../weights/index.ts';
import { readKerasH5 } from './keras-h5.ts';
import { toKerasH5 } from './keras-h5-write.ts';

test('every variable comes back, and the attributes name the layers in order', async () => {
  const weights = randomWeights({ seed: 2, variant: 'keras', architecture: TINY });
  disturbBatchNorm(weights.tensors);
  const head = new Map<string, WeightTensor>([
    ['head/dense_0/kernel', { shape: [6, 2], data: Float32Array.from({ length: 12 }, (_, i) => i / 8) }],
    ['head/dense_0/bias', { shape: [2], data: Float32Array.of(-1, 0.5) }],
  ]);
  const normalisation = { channels: [2, 1, 0], scale: [1, 1, 1], shift: [0, 0, 0] };
  const tensors = new Map([...weights.tensors, ...head]);
  const bytes = await toKerasH5({ variant: 'keras', imageSize: 32, classes: ['a', 'b'], tensors, pooling: 'average', normalisation, architecture: TINY }); // prettier-ignore
  const folder = await mkdtemp(join(tmpdir(), 'thaw-h5-test-'));
  try {
    const path = join(folder, 'weights.h5');
    await writeFile(path, bytes);
    const read = await readKerasH5(path);
    expect(read.size).toBe(tensors.size);
    for (const [name, { shape, data }] of tensors)
      expect(read.get(name.replace('head/', 'head_')), name).toEqual({ shape, data });
    const { File, Group, ready } = await import('h5wasm/node');
    await ready;
    const file = new File(path, 'r');
    const layers = file.attrs['layer_names']?.value;
    // 7 of the stem, 12 + 10 + 12 of the blocks, one of the head.
    expect(layers).toHaveLength(42);
    expect(layers).toEqual(expect.arrayContaining(['input_1', 'conv1_conv', 'head_dense_0']));
    const group = file.get('conv1_conv');
    expect(group instanceof Group && group.attrs['weight_names']?.value).toEqual([
      'conv1_conv/kernel:0',
      'conv1_conv/bias:0',
    ]);
    file.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
