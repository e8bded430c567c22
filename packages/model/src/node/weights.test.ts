// Weight files on disk: small ones that the tests write, and the real one in ../shared.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as h5wasm from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingShared, sharedFiles } from '../testing/shared.ts';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { randomWeights, torchvisionName, WEIGHT_FILES, writeSafetensors, type TrunkWeights } from '../weights/index.ts';
import { loadWeights, MissingWeightsError } from './weights.ts';

let home: string;
const inHome = (name: string): string => join(home, 'weights', name);
const tiny = { architecture: TINY };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'thaw-weights-'));
  await mkdir(join(home, 'weights'));
});
afterAll(async () => rm(home, { recursive: true, force: true }));

/** Tiny weights of the keras variant, as Keras writes them: a group per layer, in it the variables' own paths. */
async function writeH5(
  path: string,
  weights: TrunkWeights,
  rename: (layer: string) => string = (layer) => layer,
): Promise<void> {
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  const layers = new Map<string, string[]>();
  for (const name of weights.tensors.keys()) {
    const [layer = '', variable = ''] = name.split('/');
    layers.set(layer, [...(layers.get(layer) ?? []), variable]);
  }
  for (const [layer, variables] of layers) {
    const group = file.create_group(rename(layer));
    group.create_attribute(
      'weight_names',
      variables.map((variable) => `${rename(layer)}/${variable}:0`),
    );
    const inner = group.create_group(rename(layer));
    for (const variable of variables) {
      const { shape, data } = weights.tensors.get(`${layer}/${variable}`)!;
      inner.create_dataset({ name: `${variable}:0`, data, shape, dtype: '<f' });
    }
  }
  file.create_attribute('layer_names', [...layers.keys()].map(rename));
  file.close();
}

describe('keras h5', () => {
  let weights: TrunkWeights;
  beforeAll(() => {
    weights = randomWeights({ seed: 2, variant: 'keras', ...tiny });
    disturbBatchNorm(weights.tensors);
  });

  test('layers and variables arrive under their names', async () => {
    const path = inHome('keras.h5');
    await writeH5(path, weights);
    const loaded = await loadWeights({ source: 'keras', file: path, home, ...tiny });
    expect(loaded.variant).toBe('keras');
    expect([...loaded.tensors.keys()].sort()).toEqual([...weights.tensors.keys()].sort());
    for (const [name, { shape, data }] of weights.tensors)
      expect(loaded.tensors.get(name), name).toEqual({ shape, data });
    expect(loaded.hash).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  });

  test('the names of before 2019', async () => {
    const path = inHome('old.h5');
    const old = (layer: string): string => {
      if (layer === 'conv1_conv') return 'conv1';
      if (layer === 'conv1_bn') return 'bn_conv1';
      const [, stage, block, number, kind] = /^conv(\d)_block(\d)_(\d)_(conv|bn)$/.exec(layer)!;
      const branch = ['1', '2a', '2b', '2c'][Number(number)];
      return `${kind === 'conv' ? 'res' : 'bn'}${stage}${'abcdef'[Number(block) - 1]}_branch${branch}`;
    };
    await writeH5(path, weights, old);
    const loaded = await loadWeights({ source: 'keras', file: path, home, ...tiny });
    for (const [name, tensor] of weights.tensors) expect(loaded.tensors.get(name), name).toEqual(tensor);
  });

  test('a missing variable, a truncated file and a file that is none', async () => {
    const tensors = new Map(weights.tensors);
    tensors.delete('conv3_block1_0_conv/bias');
    await writeH5(inHome('short.h5'), { ...weights, tensors });
    await expect(loadWeights({ source: 'keras', file: inHome('short.h5'), home, ...tiny })).rejects.toThrow(
      /short\.h5: tensor 'conv3_block1_0_conv\/bias' of shape \[6\] is missing/,
    );
    await writeH5(inHome('whole.h5'), weights);
    const whole = await readFile(inHome('whole.h5'));
    await writeFile(inHome('cut.h5'), whole.subarray(0, whole.length - 100));
    await expect(loadWeights({ source: 'keras', file: inHome('cut.h5'), home })).rejects.toThrow(
      /cut\.h5: not readable as HDF5: truncated file: eof = \d+/,
    );
    await writeFile(inHome('page.h5'), '<html>404</html>');
    await expect(loadWeights({ source: 'keras', file: inHome('page.h5'), home })).rejects.toThrow(
      /page\.h5: not an HDF5 file/,
    );
    await expect(loadWeights({ source: 'tf-official', file: inHome('whole.h5'), home })).rejects.toThrow(
      /choose the weight source keras/,
    );
  });

  test('another file under the known name: its hash is wrong', async () => {
    const [known] = WEIGHT_FILES;
    await writeH5(inHome(known!.fileName), weights);
    await expect(loadWeights({ source: 'keras', home, ...tiny })).rejects.toThrow(
      /its MD5 is [0-9a-f]{32}, but resnet50_weights_tf_dim_ordering_tf_kernels\.h5 has 2cb95161c43110f7111970584f804107; delete it/,
    );
    await rm(inHome(known!.fileName));
  });
});

test('torchvision: found in home under its known name', async () => {
  const source = randomWeights({ seed: 3, ...tiny });
  const tensors = new Map(
    [...source.tensors].map(([name, { shape, data }]) => {
      const stored = shape.length === 4 ? [shape[3]!, shape[2]!, shape[0]!, shape[1]!] : shape;
      return [torchvisionName(name), { shape: stored, data }] as const;
    }),
  );
  await writeFile(inHome('resnet50.a1_in1k.safetensors'), writeSafetensors(tensors));
  const loaded = await loadWeights({ source: 'torchvision', home, ...tiny });
  expect(loaded).toMatchObject({ variant: 'torchvision', includeTop: false });
  await expect(loadWeights({ source: 'torchvision', home, includeTop: true, ...tiny })).rejects.toThrow(
    /it has no top \(predictions\)/,
  );
});

test('no file: an error that carries what to download', async () => {
  const error: unknown = await loadWeights({ source: 'keras', home, includeTop: true }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(MissingWeightsError);
  expect((error as MissingWeightsError).candidates.map(({ md5 }) => md5)).toEqual(['2cb95161c43110f7111970584f804107']);
  expect((error as Error).message).toMatch(
    /No keras weights in .*weights: put there resnet50_.*\(https:\/\/storage\.googleapis\.com/,
  );
  await expect(loadWeights({ source: 'keras', file: inHome('nothing.h5'), home })).rejects.toThrow(
    /nothing\.h5: not readable: ENOENT/,
  );
});

test('a truncated or foreign file', async () => {
  const bytes = writeSafetensors(new Map([['conv1_conv/kernel', { shape: [100], data: noise(100) }]]));
  await writeFile(inHome('cut.safetensors'), bytes.subarray(0, bytes.length - 10));
  await expect(loadWeights({ source: 'tf-official', file: inHome('cut.safetensors'), home })).rejects.toThrow(
    /cut\.safetensors: tensor 'conv1_conv\/kernel' ends at byte 400 of the data, which has 390; the file is truncated/,
  );
  await writeFile(inHome('model.pth'), new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0]));
  await expect(loadWeights({ source: 'torchvision', file: inHome('model.pth'), home })).rejects.toThrow(
    /a zip archive/,
  );
});

test('random needs no file', async () => {
  const weights = await loadWeights({ source: 'random', home: '/nowhere', seed: 7, variant: 'keras', ...tiny });
  expect(weights).toMatchObject({ variant: 'keras', hash: 'random-keras-7' });
  expect(weights.tensors.has('conv1_conv/bias')).toBe(true);
});

describe.skipIf(missingShared(sharedFiles.weights))('the real file (needs ../shared)', () => {
  test('267 tensors, 1001 classes, its hash', async () => {
    const weights = await loadWeights({ source: 'tf-official', home: sharedFiles.home, includeTop: true });
    expect(weights).toMatchObject({ variant: 'tf-official', includeTop: true, topClasses: 1001 });
    expect(weights.hash).toBe('2126773a88c926c2cade9fae5da98b031d8664a4f0fc8e85711600749bdc5b0c');
    expect(weights.tensors.size).toBe(267);
    const size = [...weights.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(size).toBe(23_561_152 + 2048 * 1001 + 1001);
    await expect(loadWeights({ source: 'torchvision', file: sharedFiles.weights, home })).rejects.toThrow(
      /choose the weight source tf-official/,
    );
  });
});
