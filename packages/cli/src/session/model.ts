// What names images: a run's network, or the ImageNet classifier.
import { resolve } from 'node:path';
import { deviceClassifier, ResNet50, type FeatureClassifier, type TrunkFeatures } from '@thaw/model';
import * as tf from '@tensorflow/tfjs-core';
import { CommandError, UsageError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { byteProgress } from '../progress/bytes.ts';
import { fileFact, shortHash } from '../ranks/facts.ts';
import { classifierFile } from '../runs/folder.ts';
import type { Homes } from './home.ts';
import { imageNetClasses, type ImageNetClass } from './imagenet.ts';
import { openRun } from './run.ts';
import { obtainWeights } from './weights.ts';

export type ModelSettings = Pick<Settings, 'checkpoint'> &
  Pick<SomeSettings, 'run' | 'weights' | 'weightsFile' | 'imageSize' | 'precision'>;

export interface ImageModel {
  readonly classes: readonly ImageNetClass[];
  readonly imageSize: number;
  readonly resizeShorter: number;
  readonly features: TrunkFeatures;
  /** Names the classes by these features. */
  readonly scorer: FeatureClassifier;
  /** What ranks that share images must have in common: a hash of the weights. */
  readonly fact: () => Promise<string | undefined>;
}

/** @throws UsageError where the settings do not say which model */
export function checkModelSettings(settings: ModelSettings): void {
  if (settings.run !== undefined && settings.weights !== undefined)
    throw new UsageError('--weights: a run has its own weights; give --run or --weights, not both.');
  if (settings.weights === 'random')
    throw new UsageError('--weights: random weights name nothing; use keras, torchvision or tf-official, or --run.');
}

/** Opens it on the current backend. */
export async function openImageModel(
  settings: ModelSettings,
  cwd: string,
  homes: Homes,
  output: Output,
  download = true,
): Promise<ImageModel> {
  const progress = byteProgress(output);
  if (settings.run !== undefined) {
    const folder = resolve(cwd, settings.run);
    const { features, scorer, config, classifier } = await openRun(
      { ...settings, folder, onNote: (note) => output.warn(note), download },
      homes,
      progress,
    );
    const { imageSize } = config.network;
    if (settings.imageSize !== undefined && settings.imageSize !== imageSize)
      throw new UsageError(`--image-size: this run works on ${imageSize} x ${imageSize} images; leave the option out.`);
    const classes = config.data.classes.map((name) => ({ name, wordNetId: /^n\d{8}$/.exec(name)?.[0] }));
    return {
      classes,
      imageSize,
      resizeShorter: 1,
      features,
      scorer,
      fact: () => fileFact(classifierFile(folder, settings.checkpoint, classifier !== undefined)),
    };
  }
  const { weights, source } = await obtainWeights(
    { weights: settings.weights, weightsFile: settings.weightsFile, includeTop: true, download },
    homes,
    progress,
  );
  const imageSize = settings.imageSize ?? 224;
  const network = new ResNet50(weights, { imageSize, precision: settings.precision ?? 'float32' });
  const classes = await imageNetClasses(weights.topClasses, homes);
  if (!classes)
    throw new CommandError(
      `These ${source} weights have ${weights.topClasses} classes, not ImageNet's 1000; predict with a run instead (--run).`,
    );
  return {
    classes,
    imageSize,
    resizeShorter: 256 / 224,
    features: { network, pooling: 'average', width: network.channels, imageSize },
    scorer: deviceClassifier((features) => tf.tidy(() => tf.softmax(network.topLogits(features))), {
      inputs: network.channels,
      classes: classes.length,
    }),
    fact: () => Promise.resolve(shortHash(weights.hash)),
  };
}
