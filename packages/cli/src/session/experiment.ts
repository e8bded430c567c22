// One training run from opened backend, data and weights: trains, takes the best checkpoint, evaluates it.
import {
  headFeatures,
  trainClassifier,
  type Checkpoint,
  type CheckpointStore,
  type Classifier,
  type EpochRecord,
  type Evaluation,
  type NamedTensors,
  type OptimizerConfig,
  type Phase,
  type TrainOptions,
  type TrainResult,
  type TrunkRunner,
  type TrunkWeights,
} from '@thaw/model';
import { parseAugmentations, type SkippedImage } from '@thaw/data';
import type { Output } from '../output.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import { ALONE, type Ranks } from '../ranks/ranks.ts';
import { exampleImages } from '../report/examples.ts';
import type { Examples } from '../report/types.ts';
import { createReporter } from '../progress/reporter.ts';
import { TrainingProgress } from '../progress/training.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { OpenBackend } from './backend.ts';
import { buildClassifier, headSize, thawedLayers, type NetworkSettings } from './classifier.ts';
import type { Part, RunData } from './data.ts';
import { evaluatePart } from './evaluate-part.ts';
import { checkFeaturesFit, featuresFit } from './feature-memory.ts';
import { featureCache } from './features.ts';
import type { Homes } from './home.ts';
import { layerGroups, type LayerGroup } from './layers.ts';
import { networkOf, phasesOf } from './phases.ts';
import { tellSmallerBatches } from './smaller-batches.ts';
import { DataSource } from './source.ts';
import { StepMeter, type Measurements } from './step-meter.ts';

export type ExperimentSettings = NetworkSettings &
  Pick<
    Settings,
    | 'epochs'
    | 'batchSize'
    | 'optimizer'
    | 'learningRate'
    | 'rateDecay'
    | 'schedule'
    | 'momentum'
    | 'nesterov'
    | 'weightDecay'
    | 'decayKernelsOnly'
    | 'labelSmoothing'
    | 'averageWeights'
    | 'augment'
    | 'strict'
    | 'cacheFeatures'
  > &
  Pick<
    SomeSettings,
    | 'gradientCompression'
    | 'syncBatchNorm'
    | 'scaleLearningRate'
    | 'method'
    | 'headEpochs'
    | 'classWeights'
    | 'mixup'
    | 'cutmix'
    | 'coralWeight'
    | 'lossScale'
    | 'warmup'
    | 'patience'
    | 'saveEvery'
  >;

export interface ExperimentContext {
  readonly output: Output;
  readonly backend: OpenBackend;
  readonly homes: Homes;
  readonly data: RunData;
  readonly weights: TrunkWeights;
  /** Unlabelled images of the domain that features are pulled towards, where they are. */
  readonly coralTarget?: Part | undefined;
  /** Runs the trunk where it is frozen. */
  readonly trunk: Trunk;
  readonly signal: AbortSignal;
  /** Those that train together; default this process alone. */
  readonly ranks?: Ranks | undefined;
  /** Told of each step and each batch that has come to its end. */
  readonly onBeat?: (() => void) | undefined;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly resume?: Checkpoint | undefined;
  /** Variables of a head trained before, to start from. */
  readonly initialHead?: NamedTensors | undefined;
  /** Reads back the best checkpoint; the network as it is at the end is evaluated where it gives undefined. */
  readonly loadBest?: (() => Promise<Checkpoint | undefined>) | undefined;
  /** Stands before the progress lines. */
  readonly prefix?: string | undefined;
  readonly onLayers?: ((groups: readonly LayerGroup[]) => void) | undefined;
  readonly onHistory?: ((history: readonly EpochRecord[]) => Promise<void>) | undefined;
  /** Told what runs the frozen trunk, where that was measured or asked for. */
  readonly onTrunk?: ((use: TrunkUse) => Promise<void>) | undefined;
}

export interface ExperimentResult {
  readonly interrupted: boolean;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly groups: readonly LayerGroup[];
  /** Undefined where the run was interrupted. */
  readonly evaluation: Evaluation | undefined;
  readonly evaluatedOn: 'test' | 'validation' | undefined;
  /** Images of the evaluated part, for the report. */
  readonly examples: Examples | undefined;
  readonly measured: Measurements;
  /** What ran the frozen trunk, where that was measured or asked for. */
  readonly trunk: TrunkUse | undefined;
  readonly skipped: readonly SkippedImage[];
  readonly seconds: number;
}

/** Trains and evaluates. The network is gone afterwards; its checkpoints are what stays. */
export async function runExperiment(
  settings: ExperimentSettings,
  context: ExperimentContext,
): Promise<ExperimentResult> {
  const { output, backend, homes, data, weights, trunk, signal, resume, ranks = ALONE } = context;
  const { imageSize, batchSize, strict } = settings;
  const start = performance.now();
  const skipped = new Map<string, SkippedImage>();
  const list = phasesOf(settings, weights.architecture);
  const first = resume?.progress.phase ?? 0;
  let classifier = classifierOf(list, first, settings, context);
  try {
    const groups = layerGroups(
      classifier.network.table,
      thawedLayers(settings.thaw, weights.architecture),
      settings.batchNorm,
      headSize(classifier),
    );
    context.onLayers?.(groups);
    const { preprocessing } = classifier.network.variant;
    const onSkip = (image: SkippedImage): void => {
      if (!skipped.has(image.path)) output.skipped(image);
      skipped.set(image.path, image);
    };
    const source = (part: Part, augment = 'none'): DataSource => {
      const augmentations = parseAugmentations(augment);
      const options = { imageSize, preprocessing, strict, onSkip, augmentations, seed: settings.seed };
      return new DataSource(part.dataset, part.indices, options);
    };
    const train = source(data.train);
    const validation = data.validation && source(data.validation);
    const target = context.coralTarget && source(context.coralTarget);
    const cache = settings.cacheFeatures
      ? featureCache({
          homes,
          weights,
          features: headFeatures(classifier, imageSize),
          parts: { train: data.train, validation: data.validation, test: data.test },
          onNote: (note) => output.warn(note),
          ranks,
        })
      : undefined;

    let use: TrunkUse | undefined;
    const onUse = async (found: TrunkUse): Promise<void> => {
      if (use !== found) await context.onTrunk?.(found);
      use = found;
    };
    const images = { train: train.length, validation: validation?.length ?? 0, test: data.test?.indices.length ?? 0 };
    const ahead = {
      train: images.train + images.validation + images.test,
      validation: images.validation + images.test,
      test: images.test,
    };
    /** Images whose features are in memory with those of a part. */
    const held = (part: keyof typeof ahead): number =>
      part === 'test' ? images.test : images.train + images.validation;
    const frozenRunner = (part: keyof typeof ahead): TrunkRunner => {
      const features = headFeatures(classifier, imageSize);
      checkFeaturesFit(held(part), features.width, '--augment flip trains on the images instead; or take fewer with --limit-train and --limit-test.'); // prettier-ignore
      return trunk.runner(features, { ahead: ahead[part], onUse });
    };

    /** Images of a step, over all ranks. */
    const stepSize = batchSize * ranks.size;
    const reporter = createReporter(output);
    const meter = new StepMeter(backend, ranks.group);
    const history: EpochRecord[] = [...(resume?.progress.history ?? [])];
    const trainPhase = async (index: number, before: TrainResult | undefined): Promise<TrainResult> => {
      const phase = list[index] ?? list[0];
      const behind = before ? history.length : history.length - (resume?.progress.epoch ?? 0);
      const resumed = before ? undefined : resume;
      const progress = new TrainingProgress(output, reporter, {
        epochs: behind + phase.epochs,
        batchSize: stepSize,
        stepsPerEpoch: Math.ceil(train.length / stepSize),
        group: ranks.group,
        prefix: phase.name ?? context.prefix,
      });
      const { epoch = 0, step = 0, globalBatch = stepSize } = resumed?.progress ?? {};
      progress.resumeAt(behind + epoch + 1, Math.floor((step * globalBatch) / stepSize));
      const onProgress = (done: number, total: number): void => {
        progress.images(done, total);
        context.onBeat?.();
      };
      return trainClassifier(
        {
          classifier,
          train: phase.augments ? source(data.train, settings.augment) : train,
          validation,
          imageSize,
          epochs: phase.epochs,
          batchSize,
          optimizer: optimizerOf({ ...settings, learningRate: phase.learningRate * rateFactor(settings, ranks.size) }),
          group: ranks.group,
          gradientCompression: settings.gradientCompression,
          syncBatchNorm: settings.syncBatchNorm,
          lossScaling: settings.lossScale,
          ...recipeOf(settings),
          ...(!phase.augments && { mix: undefined }),
          ...(target && !classifier.network.isFrozen && { coral: { target, weight: settings.coralWeight ?? 1 } }),
          schedule: phase.schedule,
          patience: phase.patience,
          ...(phase.name !== undefined && {
            phase: {
              index,
              name: phase.name,
              history: [...history],
              bestEpoch: before?.bestEpoch ?? 0,
              bestScore: before?.bestScore ?? -1,
            },
          }),
          seed: settings.seed,
          features: cache,
          trunkRunner: frozenRunner,
          checkpoints: context.checkpoints,
          checkpointSeconds: settings.saveEvery === undefined ? undefined : 60 * settings.saveEvery,
          resume: resumed,
          signal,
          settle: async () => {
            await backend.settle();
            meter.step();
            progress.tick();
            context.onBeat?.();
          },
        },
        {
          onNote: (note) => output.warn(note),
          onPhase: (name, total) => progress.phase(name, total),
          onProgress,
          onSmallerBatch: tellSmallerBatches(output),
          onStep: (event) => progress.step(event),
          onEpoch: async (record) => {
            history.push(record);
            progress.epoch(record);
            await context.onHistory?.(history);
          },
        },
      );
    };
    let result: TrainResult;
    try {
      result = await trainPhase(first, undefined);
      for (let index = first + 1; index < list.length && !result.interrupted; index++) {
        // On from the best epoch so far, or without checkpoints from the last.
        const best = (await context.loadBest?.())?.variables ?? (await classifier.state());
        classifier.dispose();
        classifier = classifierOf(list, index, settings, context);
        await classifier.restoreOver(best);
        result = await trainPhase(index, result);
      }
    } finally {
      reporter.clear();
    }
    const progress = new TrainingProgress(output, reporter, {
      epochs: history.length,
      batchSize: stepSize,
      stepsPerEpoch: 1,
    });
    const base = { history, bestEpoch: result.bestEpoch, groups, skipped: [...skipped.values()] };
    const measured = meter.report(result);
    const interrupted = (): ExperimentResult => ({
      ...base,
      measured,
      trunk: use,
      interrupted: true,
      evaluation: undefined,
      evaluatedOn: undefined,
      examples: undefined,
      seconds: (performance.now() - start) / 1000,
    });
    if (result.interrupted) return interrupted();
    const best = await context.loadBest?.();
    const bestPhase = best?.progress.phase ?? list.length - 1;
    if (bestPhase !== list.length - 1) {
      // What was thawed after the best epoch is as it was.
      classifier.dispose();
      classifier = classifierOf(list, bestPhase, settings, context);
    }
    if (best) classifier.restore(best.variables);
    const evaluatedOn = data.test ? ('test' as const) : ('validation' as const);
    const part = data.test ?? data.validation ?? data.train;
    progress.phase(`${evaluatedOn} images`, part.indices.length);
    const scored = await evaluatePart(classifier, source(part), {
      imageSize,
      batchSize,
      store: classifier.network.isFrozen ? cache : undefined,
      runner:
        classifier.network.isFrozen && featuresFit(held(evaluatedOn), classifier.head.inputs)
          ? () => frozenRunner(evaluatedOn)
          : undefined,
      key: evaluatedOn,
      signal,
      ranks,
      onProgress: (done, total) => {
        progress.images(done, total);
        context.onBeat?.();
      },
      onSmallerBatch: tellSmallerBatches(output),
    });
    reporter.clear();
    if (!scored) return interrupted();
    const unreadable = new Map((await ranks.gather([...skipped])).flat());
    const evaluated = { classifier, evaluation: scored.evaluation, part: { dataset: part.dataset, indices: scored.indices }, imageSize }; // prettier-ignore
    const examples = ranks.isFirst ? await exampleImages(evaluated, (note) => output.warn(note)) : undefined;
    return {
      ...base,
      measured,
      trunk: use,
      skipped: [...unreadable.values()],
      interrupted: false,
      evaluatedOn,
      evaluation: scored.evaluation,
      examples,
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    classifier.dispose();
    await trunk.close();
  }
}

/** The network of a phase, fresh but for a head that was given. */
function classifierOf(
  list: readonly Phase[],
  index: number,
  settings: ExperimentSettings,
  { weights, data, initialHead }: ExperimentContext,
): Classifier {
  const classifier = buildClassifier(weights, networkOf(list, index, settings), data.classes.length);
  if (initialHead) classifier.head.restore(initialHead);
  return classifier;
}

/** What the learning rate is multiplied by on so many ranks. */
export function rateFactor({ scaleLearningRate }: Pick<SomeSettings, 'scaleLearningRate'>, ranks: number): number {
  if (scaleLearningRate === 'linear') return ranks;
  return scaleLearningRate === 'sqrt' ? Math.sqrt(ranks) : 1;
}

function optimizerOf(settings: ExperimentSettings): OptimizerConfig {
  const { optimizer, learningRate, momentum, nesterov, weightDecay } = settings;
  return optimizer === 'adam'
    ? { kind: 'adam', learningRate, weightDecay }
    : { kind: 'sgd', learningRate, momentum, nesterov, weightDecay };
}

function recipeOf(settings: ExperimentSettings) {
  const { rateDecay, decayKernelsOnly, labelSmoothing, averageWeights } = settings;
  const { classWeights: classWeighting, mixup = 0, cutmix = 0, seed } = settings;
  return {
    rates: { stageDecay: rateDecay, decayKernelsOnly },
    labelSmoothing,
    classWeighting,
    mix: { mixup, cutmix, seed },
    averageDecay: averageWeights === 0 ? undefined : averageWeights,
  } satisfies Partial<TrainOptions>;
}
