// When the trunk leaves the device, and what is said and recorded of it. tfjs-cpu stands in for the device.
import { BackendRunner } from '@thaw/model';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { availableParallelism } from 'node:os';
import { afterEach, beforeAll, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { relativeError } from '../../../model/src/testing/numbers.ts';
import { noise } from '../../../model/src/testing/tiny.ts';
import { Output } from '../output.ts';
import type { DeviceInfo, OpenBackend } from '../session/backend.ts';
import { standIn } from '../testing/stand-in.ts';
import { TINY_SIZE, tinyFeatures } from '../testing/tiny-features.ts';
import type { TrunkUse } from './choose.ts';
import { Trunk, type TrunkOptions } from './trunk.ts';

const LAVAPIPE: DeviceInfo = { backend: 'thaw', name: 'llvmpipe', driver: 'Mesa', isSoftware: true };
const GPU: DeviceInfo = { backend: 'thaw', name: 'A GPU', driver: 'its own', isSoftware: false };
const WASM: DeviceInfo = { backend: 'wasm', name: 'WebAssembly', driver: '', isSoftware: true };
/** So many that they would take a device days. */
const MANY = 1e9;
const BATCH = 4;
const images = noise(BATCH * TINY_SIZE ** 2 * 3);

const opened: Trunk[] = [];
beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(async () => {
  for (const trunk of opened.splice(0)) await trunk.close();
});

interface Ran {
  readonly uses: TrunkUse[];
  readonly text: string;
  readonly features: Float32Array;
}

function open(
  info: DeviceInfo,
  settings: Partial<TrunkOptions['settings']> = {},
): { trunk: Trunk; text: () => string } {
  const io = standIn();
  const backend: OpenBackend = {
    info,
    canThaw: true,
    opened: undefined,
    lost: () => undefined,
    thaw: undefined,
    settle: () => Promise.resolve(),
    memory: () => undefined,
    dispatches: () => undefined,
    close: () => undefined,
  };
  const trunk = new Trunk({
    settings: { trunk: 'auto', backend: 'auto', ...settings },
    backend,
    output: new Output(io),
  });
  opened.push(trunk);
  return { trunk, text: () => io.written.stdout + io.written.stderr };
}

/** One pass of one batch, of which `ahead` images are said to come. */
async function pass({ trunk, text }: ReturnType<typeof open>, ahead: number): Promise<Ran> {
  const uses: TrunkUse[] = [];
  const runner = trunk.runner(tinyFeatures(), { ahead, onUse: (use) => void uses.push(use) });
  await runner.prepare(BATCH, BATCH);
  const features = await runner.run(images, BATCH);
  runner.dispose();
  return { uses, text: text(), features };
}

test.each([
  ['a GPU', GPU, {}, MANY],
  ['few images', LAVAPIPE, {}, 100],
  ['--backend thaw', LAVAPIPE, { backend: 'thaw' }, MANY],
  ['--adapter llvmpipe', LAVAPIPE, { adapter: 'llvmpipe' }, MANY],
  ['--trunk device', LAVAPIPE, { trunk: 'device' }, MANY],
] as const)('%s: the device, without a word', async (_, info, settings, ahead) => {
  const { uses, text } = await pass(open(info, settings), ahead);
  expect(uses).toEqual([]);
  expect(text).toBe('');
});

test.each([['lavapipe', LAVAPIPE], ['--backend wasm', WASM]] as const)('%s and many images: measured once, said and recorded', async (_, info) => {
  const on = open(info, { backend: info.backend === 'wasm' ? 'wasm' : 'auto' });
  const first = await pass(on, MANY);
  if (info.backend === 'wasm' && availableParallelism() === 1) return expect(first.uses).toEqual([]);
  const [use] = first.uses;
  expect(use!.threads).toBe(availableParallelism());
  const { device, wasm } = use!.imagesPerSecond!;
  expect(use!.engine).toBe(wasm > device ? 'wasm' : 'device');
  expect(first.text).toMatch(/^features: .*images\/s \(.*\)\n$/);
  const reference = await new BackendRunner(tinyFeatures()).run(images, BATCH);
  // As in pool.test.ts.
  expect(relativeError(first.features, reference)).toBeLessThan(10 * 12 * Math.sqrt(147) * 2 ** -24);

  const second = await pass(on, BATCH);
  expect(second.uses).toEqual([use]);
  expect(second.text).toBe(first.text);
}); // prettier-ignore

test('--trunk wasm: threads on any device, as many as there are batches, and again after they ended', async () => {
  const on = open(GPU, { trunk: 'wasm' });
  const { uses, text, features } = await pass(on, BATCH);
  expect(uses).toEqual([{ engine: 'wasm', threads: 1 }]);
  expect(text).toBe('features: tfjs-wasm on 1 thread\n');
  await on.trunk.close();
  const again = await pass(on, MANY);
  expect(again.text).toBe(text);
  expect(again.features).toEqual(features);
});

test('a trunk in mixed precision stays on the device, and is refused where WebAssembly is asked for', async () => {
  const features = tinyFeatures();
  // No device here has float16; what is asked of the network is no more than this.
  Object.assign(features.network, { precision: 'mixed' });
  expect(await open(LAVAPIPE).trunk.known(features, BATCH, MANY)).toEqual({});
  await expect(open(LAVAPIPE, { trunk: 'wasm' }).trunk.known(features, BATCH, MANY)).rejects.toThrow(
    '--trunk wasm: WebAssembly has no float16, and this trunk is in mixed precision; use --precision float32.',
  );
});
