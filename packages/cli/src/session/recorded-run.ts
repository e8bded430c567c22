// An experiment in a run folder: configuration first, metrics and checkpoints on the way, the summary at the end.
import { resolve } from 'node:path';
import type { Checkpoint } from '@thaw/model';
import { FileCheckpoints, loadCheckpoint } from '@thaw/model/node';
import type { SomeSettings } from '../options/settings.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, runFile, writeJson, writeJsonLines } from '../runs/folder.ts';
import { runSummary } from '../runs/summary.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import { versions } from '../versions.ts';
import type { OpenBackend } from './backend.ts';
import type { RunData } from './data.ts';
import { runExperiment, type ExperimentContext, type ExperimentResult, type ExperimentSettings } from './experiment.ts';
import type { LoadedWeights } from './weights.ts';

export interface RecordedRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly settings: ExperimentSettings;
  /** Goes on from the folder's last checkpoint, where it has one. */
  readonly resume?: boolean;
  readonly context: Omit<ExperimentContext, 'checkpoints' | 'resume' | 'loadBest' | 'onHistory' | 'onTrunk'>;
}

/** Runs it and writes everything but the report. An interrupted run has no summary. */
export async function recordRun({
  folder,
  config,
  settings,
  resume = false,
  context,
}: RecordedRun): Promise<ExperimentResult> {
  await writeJson(runFile.config(folder), config);
  context.output.event('run', { folder, ...config });
  let recorded = config;
  const result = await runExperiment(settings, {
    ...context,
    checkpoints: new FileCheckpoints(folder),
    resume: resume ? await readCheckpoint(folder, 'last') : undefined,
    loadBest: () => readCheckpoint(folder, 'best'),
    onHistory: (history) => writeJsonLines(runFile.metrics(folder), history),
    onTrunk: async (trunk) => {
      recorded = { ...config, device: { ...config.device, trunk } };
      await writeJson(runFile.config(folder), recorded);
    },
  });
  if (!result.interrupted) await writeJson(runFile.summary(folder), runSummary(recorded, result));
  return result;
}

/** The last or the best checkpoint of a run folder; undefined where there is none. */
export async function readCheckpoint(folder: string, name: 'last' | 'best'): Promise<Checkpoint | undefined> {
  const path = runFile.checkpoint(folder, name);
  return (await exists(path)) ? loadCheckpoint(path) : undefined;
}

export interface ConfigRequest {
  readonly preset: string;
  readonly command: string;
  /** When the run began, where it is resumed. */
  readonly created?: string | undefined;
  /** What ran the frozen trunk then. */
  readonly trunk?: TrunkUse | undefined;
  /** What a resumed run is resumed with. */
  readonly settings: SomeSettings & ExperimentSettings;
  readonly data: RunData;
  readonly loaded: LoadedWeights;
  readonly backend: OpenBackend;
}

/** What config.json will hold. */
export function makeConfig({
  preset,
  command,
  created,
  trunk,
  settings,
  data,
  loaded,
  backend,
}: ConfigRequest): RunConfig {
  const { thaw, batchNorm, imageSize, head, seed, precision = 'float32' } = settings;
  return {
    thaw: versions()['thaw'] ?? '',
    created: created ?? new Date().toISOString(),
    command,
    preset,
    settings,
    data: {
      name: data.name,
      classes: [...data.classes],
      train: data.train.indices.length,
      validation: data.validation?.indices.length ?? 0,
      test: data.test?.indices.length ?? 0,
    },
    weights: {
      source: loaded.source,
      ...(loaded.file !== undefined && { file: resolve(loaded.file) }),
      hash: loaded.weights.hash,
    },
    network: { thaw, batchNorm, imageSize, head, seed, precision },
    device: { ...backend.info, ...(trunk && { trunk }) },
    versions: versions(),
  };
}
