// What thaw train says before and after a run.
import type { SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import type { RunConfig } from '../runs/config.ts';
import { runFile } from '../runs/folder.ts';
import { rateFactor, type ExperimentResult } from '../session/experiment.ts';
import { evaluationText } from './evaluation.ts';
import { bytes, count, duration, plural } from './format.ts';
import { historyTable } from './history.ts';
import { optimizerText, recipeRows } from './recipe.ts';

/** What is trained on what, and how: printed before a run. */
export function runHeader({ data, weights, network, device, ranks, settings }: RunConfig): string {
  const parts = [
    `${count(data.train)} train`,
    data.validation > 0 ? `${count(data.validation)} validation` : '',
    data.test > 0 ? `${count(data.test)} test` : '',
  ];
  return [
    `data     ${data.name}: ${parts.filter(Boolean).join(', ')} images of ${data.classes.length} classes, ${network.imageSize} x ${network.imageSize}`,
    `weights  ${weights.source}${weights.file === undefined ? '' : `, ${weights.file}`}`,
    `device   ${device.name} (${device.backend}${device.isSoftware ? ', no GPU' : ''})`,
    ...(ranks ? [ranksRow(ranks, settings)] : []),
    `training ${optimizerText(settings)}, batch ${settings.batchSize}, ${plural(settings.epochs ?? 0, 'epoch')}, seed ${settings.seed}${network.precision === 'mixed' ? ', mixed precision' : ''}`,
    ...recipeRows(settings).map(([label, text]) => `${label.padEnd(8)} ${text}`),
  ].join('\n');
}

/** Who trains together, and what that makes of a step. */
function ranksRow({ size, library, devices }: NonNullable<RunConfig['ranks']>, settings: SomeSettings): string {
  const { batchSize = 0, gradientCompression, syncBatchNorm, scaleLearningRate = 'none', learningRate = 0 } = settings;
  const names = new Set(devices.map(({ name }) => name));
  const hosts = new Set(devices.map(({ host }) => host));
  const factor = rateFactor(settings, size);
  return [
    `ranks    ${size} by ${library}${hosts.size > 1 ? `, on ${plural(hosts.size, 'machine')}` : ''}${names.size > 1 ? `, on ${[...names].join(', ')}` : ''}`,
    `${size} x ${batchSize} images a step`,
    ...(scaleLearningRate === 'none' ? [] : [`learning rate ${learningRate} x ${Number(factor.toPrecision(4))} (${scaleLearningRate}) = ${Number((learningRate * factor).toPrecision(4))}`]),
    ...(gradientCompression === 'f16' ? ['gradients in float16'] : []),
    ...(syncBatchNorm === true ? ['batch-norms over all ranks'] : []),
  ].join(', '); // prettier-ignore
}

/** What came of a run: printed at its end. */
export function runOutcome(
  result: ExperimentResult,
  classes: readonly string[],
  { width, colors }: Output,
  folder: string,
): string {
  const { evaluation, evaluatedOn, measured, seconds, bestEpoch, history, skipped } = result;
  if (!evaluation) return '';
  const memory =
    measured.peakDeviceBytes === undefined ? '' : `, at most ${bytes(measured.peakDeviceBytes)} on the device`;
  return [
    '',
    evaluationText(evaluation, classes, {
      width,
      colors,
      title: `${evaluatedOn ?? ''} images, weights of epoch ${bestEpoch} of ${history.length}`,
    }),
    '',
    historyTable(history, bestEpoch, width, colors),
    '',
    `${duration(seconds)} for ${plural(measured.steps, 'step')}${memory}${skipped.length > 0 ? `; ${plural(skipped.length, 'unreadable image')} skipped` : ''}`,
    stepText(measured),
    ...skippedText(measured),
    `run     ${folder}`,
    `report  ${runFile.report(folder)}`,
  ].join('\n');
}

/** What a step cost, and whether memory stayed where the second step left it. */
function stepText({
  steps,
  secondsPerStep,
  dispatchesPerStep,
  tensorsAfterStep2,
  tensorsAtEnd,
  deviceBytesAfterStep2,
  deviceBytesAtEnd,
}: ExperimentResult['measured']): string {
  const cost = [
    `${duration(secondsPerStep, 3)} a step`,
    ...(dispatchesPerStep === undefined ? [] : [`${count(dispatchesPerStep)} dispatches`]),
  ];
  if (steps < 3) return cost.join(', ');
  const change = (from: number, to: number, text: (value: number) => string): string =>
    from === to ? text(to) : `${text(from)} -> ${text(to)}`;
  const kept = [
    `${change(tensorsAfterStep2, tensorsAtEnd, count)} tensors`,
    ...(deviceBytesAfterStep2 === undefined || deviceBytesAtEnd === undefined
      ? []
      : [`${change(deviceBytesAfterStep2, deviceBytesAtEnd, bytes)} on the device`]),
  ];
  const constant = tensorsAfterStep2 === tensorsAtEnd && deviceBytesAfterStep2 === deviceBytesAtEnd;
  return `${cost.join(', ')}; from step 2 to the end ${constant ? 'constant: ' : ''}${kept.join(', ')}`;
}

/** What loss scaling did, where there was any. */
function skippedText({ lossScale }: ExperimentResult['measured']): string[] {
  if (!lossScale) return [];
  const { skipped, scale } = lossScale;
  const what = skipped === 0 ? 'no step skipped' : `${plural(skipped, 'step')} skipped, as gradients overflowed`;
  return [`loss scale ${count(scale)} at the end, ${what}`];
}
