// An experiment in a run folder: configuration first, metrics and checkpoints on the way, the summary at the end.
import { resolve } from 'node:path';
import { NOT_BEGUN, SafetensorsError, type Checkpoint, type Progress } from '@thaw/model';
import { EventFile, FileCheckpoints, removeAbandoned } from '@thaw/model/node';
import type { Choice } from '../choice/choice.ts';
import { CommandError, explain, InterruptedError, UsageError } from '../errors.ts';
import type { SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import type { RunConfig } from '../runs/config.ts';
import { runFile, writeJson, writeJsonLines } from '../runs/folder.ts';
import { runSummary, type RunSummary } from '../runs/summary.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import { versions } from '../versions.ts';
import type { OpenBackend } from './backend.ts';
import type { NetworkSettings } from './classifier.ts';
import { partHash, type RunData } from './data.ts';
import { runExperiment, type ExperimentContext, type ExperimentResult, type ExperimentSettings } from './experiment.ts';
import { onNewDevices, type Devices } from './lost-device.ts';
import type { LoadedWeights } from './weights.ts';

export interface RecordedRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly settings: ExperimentSettings;
  /** Goes on from the folder's last checkpoint, where it has one. */
  readonly resume?: boolean;
  /** Closes what it computed on and opens it anew, where the device was lost; without it, the run ends there. */
  readonly reopen?: (recorded: RunConfig) => Promise<Devices>;
  readonly context: Omit<ExperimentContext, 'checkpoints' | 'resume' | 'loadBest' | 'onHistory' | 'onTrunk'>;
}

/** Runs it and writes everything but the report. An interrupted run has no summary. */
export async function recordRun({
  folder,
  config,
  settings,
  resume = false,
  reopen,
  context,
}: RecordedRun): Promise<ExperimentResult & { readonly summary: RunSummary | undefined }> {
  const checkpoints = new FileCheckpoints(folder, (note) => context.output.warn(note));
  let last = resume ? await checkpoints.loadLast() : undefined;
  await writeJson(runFile.config(folder), config);
  context.output.event('run', { folder, ...config });
  if (resume) {
    await removeAbandoned(folder);
    // A run that was killed may have written an epoch that its checkpoint does not know, or know one that it has not written.
    await writeJsonLines(runFile.metrics(folder), last?.progress.history ?? []);
  }
  const events = await EventFile.open(runFile.events(folder), last?.progress.history.length ?? 0);
  await events.write(last?.progress.history ?? []);
  let recorded = config;
  const run = ({ backend, trunk: frozen }: Devices): Promise<ExperimentResult> =>
    runExperiment(settings, {
      ...context,
      backend,
      trunk: frozen,
      checkpoints,
      resume: last,
      loadBest: () => readBest(checkpoints, context.output),
      onHistory: async (history) => {
        await writeJsonLines(runFile.metrics(folder), history);
        await events.write(history);
      },
      onTrunk: async (trunk) => {
        recorded = { ...config, device: { ...config.device, trunk } };
        await writeJson(runFile.config(folder), recorded);
      },
    });
  const { output, signal } = context;
  const result = await keeping(checkpoints, folder, () =>
    !reopen
      ? run(context)
      : onNewDevices({
          output,
          signal,
          devices: context,
          reopen: () => reopen(recorded),
          kept: () => stepsUntil(checkpoints.kept),
          attempt: async (devices, isAgain) => {
            if (isAgain && checkpoints.kept) last = await checkpoints.loadLast();
            return run(devices);
          },
        }),
  );
  const summary = result.interrupted ? undefined : runSummary(recorded, result);
  if (summary) await writeJson(runFile.summary(folder), summary);
  return { ...result, summary };
}

/** A number that grows with every step of a run: those of a later phase are above all of an earlier one. */
export const stepsUntil = ({ phase = 0, totalSteps }: Progress = NOT_BEGUN): number => phase * 2 ** 32 + totalSteps;

/** Runs it; what goes wrong is told with what is kept in spite of it. */
async function keeping<T>(checkpoints: FileCheckpoints, folder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { kept } = checkpoints;
    if (!kept || error instanceof UsageError || error instanceof InterruptedError) throw error;
    // Epochs count over all phases; a checkpoint's own are those of its phase.
    const epochs = kept.history.length;
    const steps = kept.step > 0 ? `step ${kept.step} of epoch ${epochs + 1}` : `epoch ${epochs}`;
    const upTo = epochs === 0 && kept.step === 0 ? 'The run as it began' : `The run up to ${steps}`;
    throw new CommandError(`${explain(error)} ${upTo} is kept: thaw train --resume ${folder} goes on from there.`, { cause: error }); // prettier-ignore
  }
}

/** The best checkpoint; undefined, with a warning, where it is damaged. */
async function readBest(checkpoints: FileCheckpoints, output: Output): Promise<Checkpoint | undefined> {
  return checkpoints.loadBest().catch((error: unknown) => {
    if (!(error instanceof SafetensorsError)) throw error;
    output.warn(`${error.message} The weights of the last epoch are used instead.`);
    return undefined;
  });
}

export interface ConfigRequest {
  readonly preset: string;
  readonly command: string;
  /** When the run began, where it is resumed. */
  readonly created?: string | undefined;
  /** What ran the frozen trunk then. */
  readonly trunk?: TrunkUse | undefined;
  /** What a resumed run is resumed with. */
  readonly settings: SomeSettings & NetworkSettings;
  readonly choices?: readonly Choice[] | undefined;
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
  choices,
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
    ...(choices && choices.length > 0 && { choices: [...choices] }),
    data: {
      name: data.name,
      classes: [...data.classes],
      train: data.train.indices.length,
      validation: data.validation?.indices.length ?? 0,
      test: data.test?.indices.length ?? 0,
      hashes: {
        train: partHash(data.train),
        ...(data.validation && { validation: partHash(data.validation) }),
        ...(data.test && { test: partHash(data.test) }),
      },
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
