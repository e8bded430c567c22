// A training run as `thaw train` does it, on a network that is small enough to be ended thirty times: everything that a recipe
// may have, on images in a folder, from the start or from the folder's last checkpoint.
import { randomWeights } from '@thaw/model';
// By path: what tests share is no export of the published package.
import { TINY } from '../../../model/src/testing/tiny.ts';
import type { Io } from '../io.ts';
import { Output } from '../output.ts';
import { ALONE, type Ranks } from '../ranks/ranks.ts';
import { exists, readRunConfig, runFile } from '../runs/folder.ts';
import { openBackend, type OpenBackend } from '../session/backend.ts';
import { openRunData } from '../session/data.ts';
import type { ExperimentResult } from '../session/experiment.ts';
import { findHomes } from '../session/home.ts';
import { makeConfig, recordRun } from '../session/recorded-run.ts';
import { Trunk } from '../trunk/trunk.ts';

export interface TinyRun {
  readonly io: Io;
  readonly folder: string;
  /** Of images. */
  readonly data: string;
  readonly device: 'thaw' | 'cpu';
  readonly signal: AbortSignal;
  /** Told of each device that is opened. */
  readonly onOpen?: (backend: OpenBackend) => void;
  readonly learningRate?: number;
  /** Those that train together. */
  readonly ranks?: Ranks;
  /** Told of each step that has come to its end. */
  readonly onBeat?: () => void;
}

const SETTINGS = {
  thaw: 'conv3',
  batchNorm: 'keras',
  imageSize: 32,
  head: '5',
  dropout: 0.25,
  l2: 1e-4,
  lossScale: 'dynamic',
  epochs: 5,
  batchSize: 4,
  optimizer: 'adam',
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
  trunk: 'device',
} as const;

/** Runs it to its end, or until the signal. */
export async function tinyRun({
  io,
  folder,
  data,
  device,
  signal,
  onOpen,
  learningRate = 0.01,
  ranks,
  onBeat,
}: TinyRun): Promise<ExperimentResult> {
  const output = new Output(io, { quiet: true });
  const homes = await findHomes(io);
  const open = async (): Promise<OpenBackend> => {
    const opened = await openBackend({ io, backend: device, thaws: true, untuned: true });
    onOpen?.(opened);
    return opened;
  };
  let backend = await open();
  const precision = backend.opened?.device.features.has('shader-f16') === true ? 'mixed' : 'float32';
  const settings = { ...SETTINGS, data, backend: device, precision, learningRate } as const;
  const runData = await openRunData(settings, { cwd: io.cwd, homes });
  const weights = randomWeights({ seed: 7, architecture: TINY });
  const resume = await (ranks ?? ALONE).fromFirst(() => exists(runFile.config(folder)));
  const config = resume
    ? await readRunConfig(folder)
    : makeConfig({ preset: 'custom', command: 'tiny', settings, data: runData, loaded: { weights, source: 'random', file: undefined }, backend }); // prettier-ignore
  const trunk = (): Trunk => new Trunk({ settings, backend, output });
  try {
    return await recordRun({
      folder,
      config,
      settings,
      resume,
      reopen: async () => {
        backend.close();
        backend = await open();
        return { backend, trunk: trunk() };
      },
      context: { output, backend, homes, data: runData, weights, trunk: trunk(), signal, ranks, onBeat },
    });
  } finally {
    backend.close();
  }
}
