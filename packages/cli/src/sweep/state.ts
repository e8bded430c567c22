// What a sweep's folder keeps of it, sweep.json: what is tried, and what came of it so far.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../errors.ts';
import { writeJson } from '../runs/folder.ts';

const trial = z.object({
  /** In the sweep's folder. */
  folder: z.string(),
  point: z.record(z.string(), z.string()),
  /** cut: interrupted, and gone on with by --resume. */
  status: z.enum(['waiting', 'done', 'failed', 'cut']),
  reason: z.string().optional(),
  validationAccuracy: z.number().optional(),
  validationLoss: z.number().optional(),
  validationMacroF1: z.number().optional(),
  bestEpoch: z.number().optional(),
  epochs: z.number().optional(),
  seconds: z.number().optional(),
});

export type Trial = z.infer<typeof trial>;

const sweepState = z.object({
  thaw: z.string(),
  created: z.string(),
  command: z.string(),
  /** Where relative paths begin. */
  cwd: z.string(),
  grid: z.array(z.string()),
  /** What was typed for every trial. */
  flags: z.record(z.string(), z.unknown()),
  trials: z.array(trial),
  /** The folder of the best trial. */
  best: z.string().optional(),
});

export type SweepState = z.infer<typeof sweepState>;

export const sweepFile = (folder: string): string => join(folder, 'sweep.json');

export const writeState = (folder: string, state: SweepState): Promise<void> => writeJson(sweepFile(folder), state);

/** @throws CommandError where the folder holds no sweep, or a damaged one */
export async function readState(folder: string): Promise<SweepState> {
  const path = sweepFile(folder);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CommandError(`${folder} is not the folder of a sweep: it has no sweep.json.`);
  });
  try {
    return sweepState.parse(JSON.parse(text));
  } catch {
    throw new CommandError(
      `${path} is damaged; begin a new sweep. The runs in it are whole, and thaw report compares them.`,
    );
  }
}

/** Those that ended, the best first: by validation accuracy, then by loss. */
export function ranked(trials: readonly Trial[]): Trial[] {
  return trials
    .filter(({ status }) => status === 'done')
    .sort(
      (a, b) =>
        (b.validationAccuracy ?? -1) - (a.validationAccuracy ?? -1) ||
        (a.validationLoss ?? Infinity) - (b.validationLoss ?? Infinity),
    );
}
