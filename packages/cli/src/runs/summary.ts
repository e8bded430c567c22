// What a run's summary.json holds: its scores, what trained, and what the machine did.
import type { Calibration } from '@thaw/model';
import type { ExperimentResult } from '../session/experiment.ts';
import type { RunConfig } from './config.ts';

export interface RunSummary {
  readonly preset: string;
  readonly evaluatedOn: string;
  readonly images: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly loss: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly classes: readonly { readonly name: string; readonly precision: number; readonly recall: number; readonly f1: number; readonly support: number }[];
  /** confusion[actual][predicted] */
  readonly confusion: readonly (readonly number[])[];
  readonly layers: ExperimentResult['groups'];
  readonly measured: ExperimentResult['measured'];
  readonly device: RunConfig['device'];
  readonly skipped: ExperimentResult['skipped'];
  readonly calibration: Calibration;
}

/** @throws when the run was interrupted: it has no scores */
export function runSummary(config: RunConfig, result: ExperimentResult): RunSummary {
  const { evaluation } = result;
  if (!evaluation) throw new Error('an interrupted run has no summary');
  return {
    preset: config.preset,
    evaluatedOn: result.evaluatedOn ?? '',
    images: evaluation.labels.length,
    accuracy: evaluation.accuracy,
    macroF1: evaluation.macroF1,
    loss: evaluation.loss,
    bestEpoch: result.bestEpoch,
    epochs: result.history.length,
    seconds: result.seconds,
    classes: config.data.classes.flatMap((name, i) => {
      const scores = evaluation.perClass[i];
      return scores ? [{ name, ...scores }] : [];
    }),
    confusion: evaluation.confusion,
    layers: result.groups,
    measured: result.measured,
    device: config.device,
    skipped: result.skipped,
    calibration: evaluation.calibration,
  };
}
