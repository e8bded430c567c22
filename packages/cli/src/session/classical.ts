// Classical classifiers on the features of the frozen trunk: fitted on the parts of a data set, kept in a run folder, read again.
import { readFile } from 'node:fs/promises';
import {
  evaluateFeatures,
  fitClassical,
  fitLogistic,
  fitPca,
  NOT_BEGUN,
  projectFeatures,
  readClassical,
  throughProjection,
  type ClassicalClassifier,
  type Evaluation,
  type FeatureClassifier,
  type Features,
  type NamedTensors,
  type Projection,
  type TrunkWeights,
} from '@thaw/model';
import { FileCheckpoints, writeAtomically } from '@thaw/model/node';
import { CommandError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import type { RunConfig } from '../runs/config.ts';
import { exists, runFile } from '../runs/folder.ts';
import { checkWeights } from './classifier.ts';
import { partFeatures, readIndices, type EvaluatePartOptions } from './evaluate-part.ts';
import type { DataSource } from './source.ts';

export type ClassicalSettings = Pick<Settings, 'classifier' | 'neighbors' | 'seed'> &
  Pick<SomeSettings, 'pca' | 'trees' | 'depth' | 'l2'>;

/** Where nothing is said: scikit-learn's numbers, but for the depths of tree and forest, which it leaves open. */
const TREES = 100;
const DEPTHS = { tree: 8, forest: 16, boosting: 3, knn: 1 } as const;

/** A fitted classifier as what its run folder keeps. */
export type Fitted =
  | {
      readonly kind: 'head';
      readonly variables: NamedTensors;
      readonly converged: boolean;
      readonly iterations: number;
    }
  | { readonly kind: 'other'; readonly model: ClassicalClassifier };

/** Told what is done of how much. */
export type FitProgress = (label: string, done: number, total: number) => Promise<void>;

/** Iterations of a logistic regression at most. */
const ITERATIONS = 300;

export async function fit(
  features: Features,
  classes: number,
  settings: ClassicalSettings,
  onProgress: FitProgress,
): Promise<Fitted> {
  const { classifier: kind, pca, neighbors, depth, seed, l2, trees } = settings;
  const projection = pca === undefined ? undefined : await fitPca(features, pca);
  if (kind === 'logistic') return fitHead(features, classes, projection, { l2, onProgress });
  const model = await fitClassical(
    features,
    {
      kind,
      classes,
      neighbours: neighbors,
      trees: trees ?? TREES,
      depth: depth ?? DEPTHS[kind],
      seed,
      onProgress: (done, total) => onProgress(kind === 'boosting' ? 'rounds' : 'trees', done, total),
    },
    projection,
  );
  return { kind: 'other', model };
}

async function fitHead(
  features: Features,
  classes: number,
  projection: Projection | undefined,
  { l2, onProgress }: { l2: number | undefined; onProgress: FitProgress },
): Promise<Fitted> {
  const onIteration = (done: number): Promise<void> => onProgress('iterations', done, ITERATIONS);
  const options = { classes, l2, iterations: ITERATIONS, onIteration };
  const found = await fitLogistic(await projectFeatures(features, projection), options);
  const { kernel, bias } = projection ? throughProjection(projection, found) : found;
  const variables: NamedTensors = new Map([
    ['head/dense_0/kernel', { shape: [features.width, classes], data: kernel }],
    ['head/dense_0/bias', { shape: [classes], data: bias }],
  ]);
  return { kind: 'head', variables, converged: found.converged, iterations: found.iterations };
}

/** Writes it into a run folder, where `openRun` finds it. */
export async function keep(folder: string, fitted: Fitted): Promise<void> {
  if (fitted.kind === 'other') return writeAtomically(runFile.classifier(folder), fitted.model.encode());
  const progress = { ...NOT_BEGUN, totalSteps: fitted.iterations };
  await new FileCheckpoints(folder).saveBest({ variables: fitted.variables, optimizer: new Map(), progress });
}

/** What `keep` wrote of a classifier that is no head. @param inputs features of an image @throws CommandError where it is missing or does not fit the run */
export async function readClassifier(
  folder: string,
  config: RunConfig,
  weights: TrunkWeights,
  inputs: number,
): Promise<ClassicalClassifier> {
  const path = runFile.classifier(folder);
  if (!(await exists(path)))
    throw new CommandError(`${path} does not exist; fit it again with thaw features --classifier.`);
  checkWeights(folder, config, weights);
  return readClassical(await readFile(path), path, { inputs, classes: config.data.classes.length });
}

/** Evaluates a classifier of features on a part, as `evaluatePart` does a network. Undefined when stopped. */
export async function evaluateScorer(
  scorer: FeatureClassifier,
  source: DataSource,
  options: Omit<EvaluatePartOptions, 'imageSize'>,
): Promise<{ evaluation: Evaluation; indices: Int32Array } | undefined> {
  const features = await partFeatures(source, scorer.inputs, options);
  if (!features) return undefined;
  const evaluation = await evaluateFeatures(scorer, features, { group: options.ranks?.group });
  return { evaluation, indices: await readIndices(source, evaluation, options.ranks) };
}
