// One trial of a sweep: a run of thaw train in a folder of its own, its events read on the way.
import { join } from 'node:path';
import { train } from '../commands/train.ts';
import { explain, InterruptedError } from '../errors.ts';
import type { Io } from '../io.ts';
import type { Layer } from '../options/resolve.ts';
import type { Reporter } from '../progress/reporter.ts';
import { exists, runFile } from '../runs/folder.ts';
import { finishedSummary, readRunHistory } from '../runs/summary.ts';
import { flagValue } from './axes.ts';
import type { Trial } from './state.ts';

export interface TrialPlace {
  readonly folder: string;
  readonly io: Io;
  readonly reporter: Reporter;
  /** "trial 3/12". */
  readonly label: string;
  /** Told of each epoch. */
  readonly onEpoch: (record: Readonly<Record<string, unknown>>) => void;
}

/** The flags of a trial, without those that say where and how it speaks. @throws UsageError */
export const trialFlags = (common: Layer, point: Trial['point']): Layer => ({
  ...common,
  ...Object.fromEntries(Object.entries(point).map(([name, value]) => [name, flagValue(name, value)])),
});

/** Runs it, or goes on with it where it was cut. What fails in it is told in what comes back. @throws InterruptedError */
export async function runTrial(trial: Trial, flags: Layer, place: TrialPlace): Promise<Trial> {
  const folder = join(place.folder, trial.folder);
  const { status: _s, reason: _r, ...rest } = trial;
  const isBegun = await exists(runFile.checkpoint(folder, 'last'));
  const where = isBegun ? { resume: folder } : { ...flags, output: folder };
  const start = performance.now();
  try {
    if (!(await exists(runFile.summary(folder))))
      await train.execute({ ...where, json: true, quiet: true }, listening(place));
    const [summary, history] = [await finishedSummary(folder), await readRunHistory(folder)];
    const best = history.find(({ epoch }) => epoch === summary.bestEpoch);
    return {
      ...rest,
      status: 'done',
      validationAccuracy: best?.validationAccuracy,
      validationLoss: best?.validationLoss,
      validationMacroF1: best?.validationMacroF1,
      bestEpoch: summary.bestEpoch,
      epochs: summary.epochs,
      seconds: (performance.now() - start) / 1000,
    };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return { ...rest, status: 'failed', reason: explain(error), seconds: (performance.now() - start) / 1000 };
  } finally {
    place.reporter.clear();
  }
}

/** The surroundings of a trial: its events move the bar, its warnings pass. */
function listening({ io, reporter, label, onEpoch }: TrialPlace): Io {
  let rest = '';
  const write = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) show(JSON.parse(line) as Readonly<Record<string, unknown>>);
  };
  let total = 1;
  const show = (record: Readonly<Record<string, unknown>>): void => {
    const { event, epoch, loss, settings } = record;
    if (event === 'run' && typeof settings === 'object' && settings !== null && 'epochs' in settings)
      total = Number(settings.epochs);
    if (event !== 'epoch' || typeof epoch !== 'number') return;
    onEpoch(record);
    reporter.show({ label, done: epoch, total, loss: typeof loss === 'number' ? loss : undefined });
  };
  return { ...io, stdout: { write }, stderr: { write: (text) => io.stderr.write(text) } };
}
