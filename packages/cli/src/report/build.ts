// From a finished run to what its report shows.
import type { EpochRecord } from '@thaw/model';
import type { RunConfig } from '../runs/config.ts';
import type { RunSummary } from '../runs/summary.ts';
import type { LayerGroup } from '../session/layers.ts';
import { bytes, count, duration, plural } from '../text/format.ts';
import { trunkText } from '../text/trunk.ts';
import { capital, optimizerText, recipeRows } from '../text/recipe.ts';
import type { Examples, MethodReport, ReportEnvironment } from './types.ts';

export interface FinishedRun {
  readonly name: string;
  readonly config: RunConfig;
  readonly summary: RunSummary;
  readonly history: readonly EpochRecord[];
  /** Where the images are to be had. */
  readonly examples: Examples | undefined;
}

export function methodReport({ name, config, summary, history, examples }: FinishedRun): MethodReport {
  const { evaluatedOn, images, accuracy, macroF1, loss, confusion, classes, calibration, layers, seconds } = summary;
  return {
    name,
    about: about(layers),
    classes: config.data.classes,
    history,
    bestEpoch: summary.bestEpoch,
    evaluatedOn,
    images,
    trainImages: config.data.train,
    accuracy,
    macroF1,
    loss,
    confusion,
    perClass: classes,
    calibration,
    examples,
    groups: layers,
    settings: settingRows(config, summary),
    measured: measuredRows(config, summary),
    seconds,
  };
}

/** Where and from what a run came, as the report shows it. */
export function environmentOf({
  device,
  versions,
  command,
  created,
  weights,
  data,
}: Pick<RunConfig, 'device' | 'versions' | 'command' | 'created' | 'weights' | 'data'>): ReportEnvironment {
  const { train, validation, test } = data.hashes ?? {};
  const hashes = { Weights: weights.hash, 'Training images': train, 'Validation images': validation, 'Test images': test }; // prettier-ignore
  return {
    device,
    versions,
    command,
    created,
    hashes: Object.entries(hashes).flatMap(([label, hash]): [string, string][] =>
      hash === undefined ? [] : [[label, hash]],
    ),
  };
}

/** What was trained, in a sentence. */
export function about(groups: readonly LayerGroup[]): string {
  const trained = groups.filter(({ trains, name }) => trains !== 'none' && !name.startsWith('head'));
  const trainable = groups.reduce((sum, group) => sum + group.trainable, 0);
  const parameters = `${count(trainable)} trainable parameters`;
  if (trained.length === 0) return `The trunk is frozen; only the head trains: ${parameters}.`;
  return `${trained.map(({ name }) => name).join(' and ')} and the head train: ${parameters}.`;
}

function settingRows(
  { settings, weights, network, data }: RunConfig,
  { epochs, bestEpoch }: RunSummary,
): [string, string][] {
  const rows: [string, string][] = [
    ['Weights', weights.source],
    [
      'Images',
      `${network.imageSize} x ${network.imageSize}; ${count(data.train)} to train, ${count(data.validation)} to validate, ${count(data.test)} to test`,
    ],
    ['Thawed', network.thaw],
    ['Batch-norm', network.batchNorm],
    ['Head', network.head],
    [
      'Precision',
      network.precision === 'mixed'
        ? 'mixed: float16 storage in the trunk, float32 sums and weights'
        : network.precision,
    ],
    ['Optimizer', `${optimizerText(settings)}, batch ${settings.batchSize ?? ''}`],
    ...recipeRows(settings).map(([label, text]): [string, string] => [capital(label), text]),
    [
      'Epochs',
      data.validation > 0
        ? `${epochs}; the weights are those of epoch ${bestEpoch}, best on the validation images`
        : String(epochs),
    ],
    ['Seed', String(network.seed)],
  ];
  return rows;
}

function measuredRows(
  { device }: RunConfig,
  { measured, device: ran, seconds, skipped }: RunSummary,
): [string, string][] {
  const { trunk } = ran;
  const {
    steps,
    secondsPerStep,
    dispatchesPerStep,
    peakDeviceBytes,
    tensorsAfterStep2,
    tensorsAtEnd,
    deviceBytesAfterStep2,
    deviceBytesAtEnd,
    lossScale,
  } = measured;
  const rows: [string, string][] = [
    ['Time', `${duration(seconds)} in all; ${plural(steps, 'step')} of ${(1000 * secondsPerStep).toFixed(1)} ms`],
  ];
  if (trunk)
    rows.push([
      'Frozen trunk',
      `${trunkText(trunk, device.name)}${trunk.engine === 'wasm' ? `; all else on ${device.name}` : ''}`,
    ]);
  if (dispatchesPerStep !== undefined) rows.push(['Dispatches', `${count(dispatchesPerStep)} in a step`]);
  if (peakDeviceBytes !== undefined)
    rows.push([
      'Device memory',
      `${bytes(peakDeviceBytes)} at most; ${bytes(deviceBytesAfterStep2 ?? 0)} in use after the second step, ${bytes(deviceBytesAtEnd ?? 0)} after the last`,
    ]);
  rows.push(['Tensors', `${count(tensorsAfterStep2)} after the second step, ${count(tensorsAtEnd)} after the last`]);
  if (lossScale)
    rows.push(['Loss scale', `${count(lossScale.scale)} at the end; ${plural(lossScale.skipped, 'step')} skipped`]);
  if (skipped.length > 0) rows.push(['Skipped', plural(skipped.length, 'unreadable image')]);
  return rows;
}
