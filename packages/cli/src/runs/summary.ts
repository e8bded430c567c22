// What a run's summary.json holds: its scores, what trained, and what the machine did.
import { readFile } from 'node:fs/promises';
import type { Evaluation } from '@thaw/model';
import { z } from 'zod';
import { CommandError } from '../errors.ts';
import type { ExperimentResult } from '../session/experiment.ts';
import { runConfig, type RunConfig } from './config.ts';
import { runFile } from './folder.ts';

const optionalNumber = z.number().optional();

const calibrationSchema = z.object({
  bins: z.array(z.object({ from: z.number(), to: z.number(), count: z.number(), confidence: z.number(), accuracy: z.number() })),
  expectedError: z.number(),
});

const runSummarySchema = z.object({
  preset: z.string(),
  evaluatedOn: z.string(),
  images: z.number(),
  accuracy: z.number(),
  macroF1: z.number(),
  loss: z.number(),
  bestEpoch: z.number(),
  epochs: z.number(),
  seconds: z.number(),
  classes: z.array(z.object({ name: z.string(), precision: z.number(), recall: z.number(), f1: z.number(), support: z.number() })),
  /** confusion[actual][predicted] */
  confusion: z.array(z.array(z.number())),
  layers: z.array(
    z.object({
      name: z.string(),
      layers: z.number(),
      trains: z.enum(['all', 'some', 'none']),
      batchNorm: z.string(),
      parameters: z.number(),
      trainable: z.number(),
    }),
  ),
  measured: z.object({
    steps: z.number(),
    secondsPerStep: z.number(),
    communicationSeconds: optionalNumber,
    dispatchesPerStep: optionalNumber,
    peakDeviceBytes: optionalNumber,
    deviceBytesAfterStep2: optionalNumber,
    deviceBytesAtEnd: optionalNumber,
    tensorsAfterStep2: z.number(),
    tensorsAtEnd: z.number(),
    lossScale: z.object({ scale: z.number(), skipped: z.number() }).optional(),
  }),
  device: runConfig.shape.device,
  ranks: runConfig.shape.ranks,
  skipped: z.array(z.object({ index: z.number(), path: z.string(), reason: z.string() })),
  /** Absent in runs from before it was computed. */
  calibration: calibrationSchema.optional(),
});

export type RunSummary = z.infer<typeof runSummarySchema>;

/** @throws when the run was interrupted: it has no scores */
export function runSummary(config: RunConfig, result: ExperimentResult): RunSummary {
  const { evaluation } = result;
  if (!evaluation) throw new Error('an interrupted run has no summary');
  return {
    preset: config.preset,
    evaluatedOn: result.evaluatedOn ?? '',
    ...scoresOf(evaluation, config.data.classes),
    bestEpoch: result.bestEpoch,
    epochs: result.history.length,
    seconds: result.seconds,
    layers: [...result.groups],
    measured: result.measured,
    device: config.device,
    ranks: config.ranks,
    skipped: [...result.skipped],
  };
}

/** What a summary has of an evaluation. */
export function scoresOf(
  { labels, accuracy, macroF1, loss, perClass, confusion, calibration }: Evaluation,
  classes: readonly string[],
): Pick<RunSummary, 'images' | 'accuracy' | 'macroF1' | 'loss' | 'classes' | 'confusion' | 'calibration'> {
  return {
    images: labels.length,
    accuracy,
    macroF1,
    loss,
    classes: classes.flatMap((name, i) => {
      const scores = perClass[i];
      return scores ? [{ name, ...scores }] : [];
    }),
    confusion,
    calibration: { bins: [...calibration.bins], expectedError: calibration.expectedError },
  };
}

/** Undefined for a run that did not end. @throws CommandError where the file is damaged */
export async function readRunSummary(folder: string): Promise<RunSummary | undefined> {
  const path = runFile.summary(folder);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parse(path, text, runSummarySchema);
}

/** @throws CommandError for a run that did not end */
export async function finishedSummary(folder: string): Promise<RunSummary> {
  const summary = await readRunSummary(folder);
  if (summary) return summary;
  throw new CommandError(`${folder} did not end, so it has no scores; go on with thaw train --resume ${folder}.`);
}

const epoch = z.object({
  epoch: z.number(),
  loss: z.number(),
  accuracy: z.number(),
  validationLoss: z.number().exactOptional(),
  validationAccuracy: z.number().exactOptional(),
  validationMacroF1: z.number().exactOptional(),
  learningRate: z.number(),
  seconds: z.number(),
  imagesPerSecond: z.number(),
  dataSeconds: z.number(),
});

/** The epochs of metrics.jsonl; none where there is no such file. @throws CommandError where it is damaged */
export async function readRunHistory(folder: string): Promise<z.infer<typeof epoch>[]> {
  const path = runFile.metrics(folder);
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, i) => parse(`${path}, line ${i + 1},`, line, epoch));
}

function parse<Schema extends z.ZodType>(what: string, text: string, schema: Schema): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${what} is damaged: it is not JSON.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CommandError(`${what} is not what a run writes: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`);
}
