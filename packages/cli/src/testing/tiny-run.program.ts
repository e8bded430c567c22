// A training run as `thaw train` does it, on a network that is small enough to be killed thirty times: everything that a recipe
// may have, on images in a folder, from the start or from the folder's last checkpoint.
//   node tiny-run.program.js <run folder> <image folder> <thaw | cpu>
// THAW_TEST_KILL=<n>[after] kills it before (after) its n-th renaming of a file.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { randomWeights } from '@thaw/model';
// By path: what tests share is no export of the published package.
import { TINY } from '../../../model/src/testing/tiny.ts';
import { processIo } from '../io.ts';
import { Output } from '../output.ts';
import { exists, readRunConfig, runFile } from '../runs/folder.ts';
import { openBackend } from '../session/backend.ts';
import { openRunData } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { makeConfig, recordRun } from '../session/recorded-run.ts';
import { Trunk } from '../trunk/trunk.ts';

const [folder = '', data = '', device = 'cpu'] = process.argv.slice(2);
const backendName = device === 'thaw' ? 'thaw' : 'cpu';
killAtRename(process.env['THAW_TEST_KILL'] ?? '');

const io = processIo();
const output = new Output(io, { quiet: true });
const homes = await findHomes(io);
const opened = await openBackend({ io, backend: backendName, thaws: true, untuned: true });
const canMix = opened.opened?.device.features.has('shader-f16') ?? false;
const settings = {
  data,
  thaw: 'conv3',
  batchNorm: 'keras',
  imageSize: 32,
  head: '5',
  dropout: 0.25,
  l2: 1e-4,
  precision: canMix ? 'mixed' : 'float32',
  lossScale: 'dynamic',
  epochs: 5,
  batchSize: 4,
  optimizer: 'adam',
  learningRate: 0.01,
  rateDecay: 0.5,
  schedule: 'cosine',
  warmup: 0.2,
  momentum: 0.9,
  nesterov: false,
  weightDecay: 1e-3,
  decayKernelsOnly: true,
  labelSmoothing: 0.1,
  averageWeights: 0.8,
  augment: 'strong',
  strict: false,
  cacheFeatures: false,
  saveEvery: 0,
  seed: 5,
  validationSplit: 0.25,
  backend: backendName,
  trunk: 'device',
} as const;

const runData = await openRunData(settings, { cwd: io.cwd, homes });
const weights = randomWeights({ seed: 7, architecture: TINY });
const resume = await exists(runFile.config(folder));
const config = resume
  ? await readRunConfig(folder)
  : makeConfig({ preset: 'custom', command: 'tiny', settings, data: runData, loaded: { weights, source: 'random', file: undefined }, backend: opened }); // prettier-ignore
const interrupt = listenForInterrupt(() => undefined);
const trunk = new Trunk({ settings, backend: opened, output });
const { signal } = interrupt;
const result = await recordRun({ folder, config, settings, resume, context: { output, backend: opened, homes, data: runData, weights, trunk, signal } }); // prettier-ignore
interrupt.stop();
opened.close();
process.exitCode = result.interrupted ? interrupt.exitCode : 0;

function killAtRename(when: string): void {
  const number = Number.parseInt(when, 10);
  if (Number.isNaN(number)) return;
  let renames = 0;
  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    const isTheOne = ++renames === number;
    if (isTheOne && !when.endsWith('after')) process.kill(process.pid, 'SIGKILL');
    await rename(from, to);
    if (isTheOne) process.kill(process.pid, 'SIGKILL');
  };
  syncBuiltinESMExports();
}
