// Builds the network that settings describe: trunk with what trains, head, and a run's checkpoint on top.
import {
  Classifier,
  createHead,
  FreezeSpecError,
  featureWidth,
  layerTable,
  MOMENTUM,
  parseHeadSpec,
  ResNet50,
  resolveFreeze,
  SafetensorsError,
  VARIANTS,
  type Architecture,
  type NamedTensors,
  type TrunkWeights,
} from '@thaw/model';
import { FileCheckpoints } from '@thaw/model/node';
import { UsageError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import { exists, runFile } from '../runs/folder.ts';
import type { RunConfig } from '../runs/config.ts';
import { CommandError } from '../errors.ts';
import type { HeadSize } from './layers.ts';

export type NetworkSettings = Pick<Settings, 'thaw' | 'batchNorm' | 'imageSize' | 'head' | 'seed'> &
  Pick<SomeSettings, 'dropout' | 'l2' | 'precision' | 'batchNormMomentum'>;

/** Names of the layers that a spec thaws in ResNet-50, or in the tiny one of a test. @throws UsageError where the spec is wrong */
export function thawedLayers(spec: string, architecture?: Architecture): ReadonlySet<string> {
  try {
    return resolveFreeze(spec, layerTable(VARIANTS.keras, { imageSize: 32, ...(architecture && { architecture }) }));
  } catch (error) {
    if (error instanceof FreezeSpecError) throw new UsageError(`--thaw: ${error.message}`);
    throw error;
  }
}

/** Whether training with these settings needs gradients of the trunk. */
export const thawsTrunk = ({ thaw, batchNorm }: Pick<Settings, 'thaw' | 'batchNorm'>): boolean =>
  batchNorm === 'train' || thawedLayers(thaw).size > 0;

/** The trunk on the current backend, and a fresh head for so many classes. */
export function buildClassifier(weights: TrunkWeights, settings: NetworkSettings, classes: number): Classifier {
  const { thaw, batchNorm, imageSize, head, seed, dropout = 0, l2 = 0, precision = 'float32' } = settings;
  const { batchNormMomentum = MOMENTUM } = settings;
  const trainable = thawedLayers(thaw, weights.architecture);
  const network = new ResNet50(weights, { trainable, batchNorm, batchNormMomentum, imageSize, precision });
  const spec = parseHeadSpec(head);
  return new Classifier(network, createHead({ spec, classes, inputs: featureWidth(spec, network), seed, dropout, l2 }));
}

/** The head's size, for tables. */
export function headSize({ head }: Classifier): HeadSize {
  const shapes = [...head.variables.values()].map(({ size }) => size);
  return {
    name: Array.isArray(head.spec) ? head.spec.join(', ') : String(head.spec),
    layers: shapes.length / 2,
    parameters: shapes.reduce((sum, size) => sum + size, 0),
  };
}

/**
 * The variables of a run's checkpoint.
 * @param onNote told where the last is damaged and the one before it is used
 * @throws CommandError where it is missing or damaged, or goes with other weights than these
 */
export async function readRunVariables(
  folder: string,
  config: RunConfig,
  weights: TrunkWeights,
  which: 'best' | 'last',
  onNote: (note: string) => void,
): Promise<NamedTensors> {
  const checkpoints = new FileCheckpoints(folder, onNote);
  const other = which === 'best' ? 'last' : 'best';
  const found = await (which === 'best' ? checkpoints.loadBest() : checkpoints.loadLast()).catch((error: unknown) => {
    if (error instanceof SafetensorsError) throw new CommandError(`${error.message} Use --checkpoint ${other}.`);
    throw error;
  });
  if (!found) {
    const remedy = (await exists(runFile.checkpoint(folder, other)))
      ? `use --checkpoint ${other}`
      : `train it first: thaw train --resume ${folder}`;
    throw new CommandError(`${runFile.checkpoint(folder, which)} does not exist; ${remedy}.`);
  }
  checkWeights(folder, config, weights);
  return found.variables;
}

/** @throws CommandError where a run goes with other weights than these */
export function checkWeights(folder: string, config: RunConfig, weights: TrunkWeights): void {
  if (weights.hash !== config.weights.hash) {
    throw new CommandError(
      `${folder} was trained on other ${config.weights.source} weights than those found (${weights.hash.slice(0, 12)} instead of ${config.weights.hash.slice(0, 12)}); name the right ones with --weights-file.`,
    );
  }
}

/** A run's network with the weights of its checkpoint. @throws CommandError where the checkpoint is missing */
export async function restoreRun(
  folder: string,
  config: RunConfig,
  weights: TrunkWeights,
  which: 'best' | 'last',
  precision: Settings['precision'],
  onNote: (note: string) => void,
): Promise<Classifier> {
  const variables = await readRunVariables(folder, config, weights, which, onNote);
  const classifier = buildClassifier(weights, { ...config.network, precision }, config.data.classes.length);
  // A checkpoint of a phase that thawed less lacks what was thawed later: those layers are as the weights have them.
  if (config.settings.method === undefined) classifier.restore(variables);
  else await classifier.restoreOver(variables);
  return classifier;
}
