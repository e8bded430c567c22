// An experiment in a run folder: configuration first, metrics and checkpoints on the way, the summary at the end.
import { resolve } from 'node:path';
import { NOT_BEGUN, SafetensorsError, type Checkpoint, type EpochRecord, type Progress } from '@thaw/model';
import { EventFile, FileCheckpoints, removeAbandoned } from '@thaw/model/node';
import type { Choice } from '../choice/choice.ts';
import { CommandError, explain, InterruptedError, UsageError } from '../errors.ts';
import type { SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { checkpointOfRanks } from '../ranks/checkpoint.ts';
import { ALONE } from '../ranks/ranks.ts';
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
  const { output, signal, ranks = ALONE } = context;
  const checkpoints = new FileCheckpoints(folder, (note) => output.warn(note));
  let last = resume ? await checkpointOfRanks(ranks, () => checkpoints.loadLast()) : undefined;
  output.event('run', { folder, ...config });
  const record = await ranks.onFirst(
    () => Record.open(folder, config, last?.progress.history ?? [], resume),
    undefined,
  );
  let recorded = config;
  const run = ({ backend, trunk: frozen }: Devices): Promise<ExperimentResult> =>
    runExperiment(settings, {
      ...context,
      backend,
      trunk: frozen,
      checkpoints: ranks.isFirst ? checkpoints : undefined,
      resume: last,
      loadBest: () => checkpointOfRanks(ranks, () => readBest(checkpoints, output)),
      onHistory: async (history) => record?.epochs(history),
      onTrunk: async (trunk) => {
        recorded = { ...config, device: { ...config.device, trunk } };
        await record?.config(recorded);
      },
    });
  const result = await keeping(checkpoints, folder, ranks.size, () =>
    // Ranks cannot wait for one that opens another device.
    !reopen || ranks.size > 1
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
  if (summary && ranks.isFirst) await writeJson(runFile.summary(folder), summary);
  return { ...result, summary };
}

/** What a run folder has of a run while it goes on, but for its checkpoints. */
class Record {
  private constructor(
    private readonly folder: string,
    private readonly events: EventFile,
  ) {}

  static async open(folder: string, config: RunConfig, history: readonly EpochRecord[], resume: boolean) {
    await writeJson(runFile.config(folder), config);
    if (resume) {
      await removeAbandoned(folder);
      // A run that was killed may have written an epoch that its checkpoint does not know, or know one that it has not written.
      await writeJsonLines(runFile.metrics(folder), history);
    }
    const events = await EventFile.open(runFile.events(folder), history.length);
    await events.write(history);
    return new Record(folder, events);
  }

  async epochs(history: readonly EpochRecord[]): Promise<void> {
    await writeJsonLines(runFile.metrics(this.folder), history);
    await this.events.write(history);
  }

  config(config: RunConfig): Promise<void> {
    return writeJson(runFile.config(this.folder), config);
  }
}

/** A number that grows with every step of a run: those of a later phase are above all of an earlier one. */
export const stepsUntil = ({ phase = 0, totalSteps }: Progress = NOT_BEGUN): number => phase * 2 ** 32 + totalSteps;

/** Runs it; what goes wrong is told with what is kept in spite of it. */
async function keeping<T>(
  checkpoints: FileCheckpoints,
  folder: string,
  ranks: number,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { kept } = checkpoints;
    const remedy = `thaw train --resume ${folder} goes on from there${ranks > 1 ? ', on any number of ranks' : ''}.`;
    // What is kept, rank 0 knows.
    if (!kept && ranks > 1 && !(error instanceof UsageError || error instanceof InterruptedError))
      throw new CommandError(`${explain(error)} Where a checkpoint is kept, ${remedy}`, { cause: error });
    if (!kept || error instanceof UsageError || error instanceof InterruptedError) throw error;
    // Epochs count over all phases; a checkpoint's own are those of its phase.
    const epochs = kept.history.length;
    const steps = kept.step > 0 ? `step ${kept.step} of epoch ${epochs + 1}` : `epoch ${epochs}`;
    const upTo = epochs === 0 && kept.step === 0 ? 'The run as it began' : `The run up to ${steps}`;
    throw new CommandError(`${explain(error)} ${upTo} is kept: ${remedy}`, { cause: error });
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
  /** Of a job of several processes. */
  readonly ranks?: RunConfig['ranks'];
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
  ranks,
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
    ...(ranks && { ranks }),
    versions: versions(),
  };
}
