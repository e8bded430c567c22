// The trials of a sweep as rows: those that ended by rank, then those that did not.
import { duration, percent, score } from '../text/format.ts';
import { wordOf } from './axes.ts';
import { ranked, type Trial } from './state.ts';

export const COLUMNS = ['', 'trial', 'settings', 'validation accuracy', 'macro-F1', 'loss', 'best epoch', 'time'];

/** "learning-rate 0.001, dropout 0.2". */
export const pointText = (point: Trial['point']): string =>
  Object.entries(point)
    .map(([name, value]) => `${wordOf(name)} ${value}`)
    .join(', ');

const STATUS = { waiting: 'not begun', cut: 'interrupted', failed: 'failed', done: '' } as const;

export function tableRows(trials: readonly Trial[]): string[][] {
  const best = ranked(trials);
  const rest = trials.filter(({ status }) => status !== 'done');
  return [
    ...best.map((trial, i) => [
      String(i + 1),
      trial.folder,
      pointText(trial.point),
      trial.validationAccuracy === undefined ? '' : percent(trial.validationAccuracy, 2),
      score(trial.validationMacroF1),
      trial.validationLoss?.toFixed(4) ?? '',
      `${trial.bestEpoch ?? ''} of ${trial.epochs ?? ''}`,
      trial.seconds === undefined ? '' : duration(trial.seconds),
    ]),
    ...rest.map(({ folder, point, status, reason = '' }) => [
      '',
      folder,
      pointText(point),
      reason === ''
        ? STATUS[status]
        : `${STATUS[status]}: ${reason.length > 60 ? `${reason.slice(0, 57)}...` : reason}`,
      '',
      '',
      '',
      '',
    ]),
  ];
}
