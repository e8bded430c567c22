// A trained run, opened again: its configuration, its weights, its network on the current backend.
import { hasFloat16 } from '@thaw/kernels';
import {
  deviceClassifier,
  headFeatures,
  ResNet50,
  type Classifier,
  type FeatureClassifier,
  type TrunkFeatures,
} from '@thaw/model';
import type { Settings } from '../options/settings.ts';
import type { ByteProgress } from '../progress/bytes.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, readRunConfig } from '../runs/folder.ts';
import { readClassifier } from './classical.ts';
import { restoreRun } from './classifier.ts';
import type { Homes } from './home.ts';
import { obtainWeights, type LoadedWeights } from './weights.ts';

export interface OpenedRun {
  readonly config: RunConfig;
  readonly loaded: LoadedWeights;
  /** What of the trunk the run's classifier reads. */
  readonly features: TrunkFeatures;
  /** Names classes by these features. */
  readonly scorer: FeatureClassifier;
  /** Trunk and head as one; undefined where something else than a head names the classes. */
  readonly classifier: Classifier | undefined;
}

export interface RunRequest {
  readonly folder: string;
  readonly checkpoint: Settings['checkpoint'];
  /** Instead of the file that the run was trained from. */
  readonly weightsFile?: string | undefined;
  /** Default: the run's own, and float32 where the backend has no float16. */
  readonly precision?: Settings['precision'] | undefined;
  readonly onNote: (note: string) => void;
  /** Fetch weights that are missing; default true. */
  readonly download?: boolean | undefined;
}

/** Call it with the backend open. */
export async function openRun(
  { folder, checkpoint, weightsFile, precision, onNote, download }: RunRequest,
  homes: Homes,
  progress?: ByteProgress,
): Promise<OpenedRun> {
  const config = await readRunConfig(folder);
  const loaded = await weightsOfRun(config, weightsFile, homes, progress, download);
  const fits = config.network.precision === 'float32' || hasFloat16();
  if (precision === undefined && !fits) onNote(`${folder} was trained in mixed precision; without float16 here it runs in float32.`); // prettier-ignore
  const used = precision ?? (fits ? config.network.precision : 'float32');
  return openWith(loaded, { folder, config, checkpoint, precision: used, onNote });
}

/** A run on weights that are there already. */
export async function openWith(
  loaded: LoadedWeights,
  {
    folder,
    config,
    checkpoint,
    precision,
    onNote,
  }: Pick<RunRequest, 'folder' | 'checkpoint' | 'onNote'> & {
    readonly config: RunConfig;
    readonly precision: Settings['precision'];
  },
): Promise<OpenedRun> {
  if (config.classifier && config.classifier.kind !== 'logistic') {
    const { imageSize } = config.network;
    const network = new ResNet50(loaded.weights, { imageSize, precision });
    const scorer = await readClassifier(folder, config, loaded.weights, network.channels);
    const features = { network, pooling: 'average', width: network.channels, imageSize } as const;
    return { config, loaded, features, scorer, classifier: undefined };
  }
  const classifier = await restoreRun(folder, config, loaded.weights, checkpoint, precision, onNote);
  const scorer = deviceClassifier((features) => classifier.classify(features), classifier.head);
  return { config, loaded, features: headFeatures(classifier, config.network.imageSize), scorer, classifier };
}

/** Frees what an opened run holds. */
export function closeRun({ classifier, features, scorer }: OpenedRun): void {
  scorer.dispose();
  if (classifier) classifier.dispose();
  else features.network.dispose();
}

/** The weights that a run began with. @param weightsFile instead of the file that it names */
export async function weightsOfRun(
  { weights, network }: RunConfig,
  weightsFile: string | undefined,
  homes: Homes,
  progress?: ByteProgress,
  download?: boolean,
): Promise<LoadedWeights> {
  const { source, file } = weights;
  const there = file !== undefined && (await exists(file)) ? file : undefined;
  return obtainWeights({ weights: source, weightsFile: weightsFile ?? there, seed: network.seed, download }, homes, progress); // prettier-ignore
}
