// tfjs-layers on the thaw backend: models are compiled, fitted, evaluated, saved and loaded as on tfjs-cpu.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import '../testing/against-cpu.ts';
import { EPSILON, expectClose } from '../testing/compare.ts';
import { examples, fit, network } from './network.ts';

const STEPS = 20;
/**
 * What losses, weights and predictions may differ by: they are of size 4 at most, and each step adds a rounding. Another mask
 * of dropout makes more than a hundred times as much (below), and so would a wrong statistic or gradient.
 */
const BOUND = STEPS * 4 * EPSILON;

beforeEach(() => tf.setBackend('thaw'));
afterEach(() => {
  tf.disposeVariables();
});

const valuesOf = async (tensors: readonly tf.Tensor[]): Promise<number[][]> =>
  Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  adam: () => tf.train.adam(0.01),
  'sgd with momentum': () => tf.train.momentum(0.05, 0.9),
  'Nesterov momentum': () => tf.train.momentum(0.05, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.002, 0.9),
};

test.each(Object.entries(optimizers))(
  'fit, evaluate and predict with %s are those of tfjs-cpu',
  async (_, optimizer) => {
    const results = async (backend: string) => {
      await tf.setBackend(backend);
      const { losses, model } = await fit(optimizer());
      const { x, y } = examples();
      const evaluated = [model.evaluate(x, y, { batchSize: 8 })].flat();
      const predicted = [model.predict(x, { batchSize: 8 })].flat();
      const found = {
        losses,
        weights: await valuesOf(model.getWeights()),
        evaluated: await valuesOf(evaluated),
        predicted: await valuesOf(predicted),
      };
      tf.dispose([x, y, evaluated, predicted]);
      return found;
    };
    const want = await results('cpu');
    const got = await results('thaw');
    expect(want.losses).toHaveLength(STEPS);
    expect(want.losses.at(-1)).toBeLessThan(want.losses[3]!);
    expectClose(got.losses, want.losses, BOUND);
    for (const what of ['weights', 'evaluated', 'predicted'] as const) {
      expect(got[what]).toHaveLength(want[what].length);
      want[what].forEach((one, i) => expectClose(got[what][i] ?? [], one, BOUND));
    }
  },
);

test('another mask of dropout shows in the losses', async () => {
  const { losses } = await fit(tf.train.adam(0.01), { epochs: 1 });
  const { losses: others } = await fit(tf.train.adam(0.01), { epochs: 1, dropoutSeed: 4 });
  expect(Math.max(...losses.map((loss, i) => Math.abs(loss - others[i]!)))).toBeGreaterThan(100 * BOUND);
});

/** Weights and predictions of a model, bit for bit. */
async function stateOf(model: tfl.LayersModel): Promise<{ weights: number[][]; predicted: number[][] }> {
  const { x, y } = examples();
  const predicted = model.predict(x) as tf.Tensor;
  const state = { weights: await valuesOf(model.getWeights()), predicted: await valuesOf([predicted]) };
  tf.dispose([x, y, predicted]);
  return state;
}

test('a model saved to a handler comes back with the bits of its weights, its optimizer and its loss', async () => {
  const { model } = await fit(tf.train.momentum(0.05, 0.9), { epochs: 1 });
  let saved: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler((artifacts) => {
    saved = artifacts;
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await model.save(handler, { includeOptimizer: true });
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
  expect(await stateOf(loaded)).toEqual(await stateOf(model));
  // The moments came along: the next step of both is the same.
  const { x, y } = examples();
  const next = [await model.trainOnBatch(x, y), await loaded.trainOnBatch(x, y)];
  expect(next[1]).toEqual(next[0]);
  expect(await stateOf(loaded)).toEqual(await stateOf(model));
  tf.dispose([x, y]);
});

test('a model saved to files is read on the other backend', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thaw-layers-'));
  try {
    const { model } = await fit(tf.train.adam(0.01), { epochs: 1 });
    const toFiles = tf.io.withSaveHandler(async ({ weightData, ...artifacts }) => {
      const weights = Buffer.from(tf.io.CompositeArrayBuffer.join(weightData));
      await writeFile(join(folder, 'weights.bin'), weights);
      const manifest = [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }];
      await writeFile(join(folder, 'model.json'), JSON.stringify({ ...artifacts, weightsManifest: manifest }));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    await model.save(toFiles);
    const fetchFunc = async (path: RequestInfo | URL): Promise<Response> =>
      new Response(await readFile(path as string));
    const fromFiles = () => tfl.loadLayersModel(tf.io.http(join(folder, 'model.json'), { fetchFunc }));
    const want = await stateOf(model);
    expect(await stateOf(await fromFiles())).toEqual(want);
    await tf.setBackend('cpu');
    const onCpu = await stateOf(await fromFiles());
    expect(onCpu.weights).toEqual(want.weights);
    expectClose(onCpu.predicted[0]!, want.predicted[0]!, BOUND);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a network starts with the same weights on both backends', async () => {
  const weights = async (backend: string) => {
    await tf.setBackend(backend);
    return valuesOf(network().getWeights());
  };
  expect(await weights('thaw')).toEqual(await weights('cpu'));
});
