// The training loop: epochs over a source, validation after each, best and last checkpoints, interruption and resumption.
// A trunk frozen to its end is run once per image and the head trains on the features; otherwise every step runs it.
import { OutOfMemoryError } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { Optimizer } from '../optimizers/optimizer.ts';
import { GradientExchange } from '../parallel/gradient-exchange.ts';
import { levelMovingStatistics } from '../parallel/moving-statistics.ts';
import { globalBatch, stepShareOf, stepShareSizes, type Place } from '../parallel/step-share.ts';
import { agreeOnTurn, overRanks, some } from '../parallel/turn.ts';
import { rateGroups } from '../optimizers/rate-groups.ts';
import { rateShare } from '../optimizers/schedule.ts';
import { WeightAverage } from '../optimizers/weight-average.ts';
import { targetBatches, targetSize } from './coral.ts';
import { imageFormat, type InputFormat } from './batch-input.ts';
import { classWeights } from './class-weights.ts';
import { evaluateClassifier } from './evaluate.ts';
import { extractFeatures } from './extract.ts';
import { mixedSide, mixes } from './mix.ts';
import { firstNonFinite, nonFinite } from './non-finite.ts';
import { epochOrder } from './shuffle.ts';
import { SkipWatch } from './skip-watch.ts';
import { BatchTooLargeError, DivergedError, type StepOptions } from './step.ts';
import { StepRunner } from './step-runner.ts';
import { trainingBatches } from './training-batches.ts';
import type { TrainHooks, TrainOptions, TrainPhase, TrainResult } from './train-options.ts';
import { BackendRunner, headFeatures } from './trunk-runner.ts';
import { NOT_BEGUN, type Checkpoint, type EpochRecord, type Features, type ImageSource, type Progress } from './types.ts'; // prettier-ignore

/** Steps between reads of the loss; a read waits for the device. */
const READ_EVERY = 20;

const now = (): number => performance.now() / 1000;

/** @throws DivergedError when the loss is not finite; the last checkpoint is then the last good one */
export async function trainClassifier(options: TrainOptions, hooks: TrainHooks = {}): Promise<TrainResult> {
  const { classifier, train, validation, imageSize, epochs, batchSize, seed, checkpoints, resume, signal } = options;
  const { schedule = { kind: 'constant' }, patience = Infinity, checkpointSeconds = Infinity } = options;
  const { group, coral } = options;
  if (coral && classifier.network.isFrozen)
    throw new Error(
      'CORAL moves features towards those of the target, and nothing below the head trains: thaw some of the trunk.',
    );
  const target = coral && { format: imageFormat(coral.target, imageSize), size: targetSize(coral, batchSize) };
  const place = group ?? ALONE;
  const stepSize = globalBatch(batchSize, place);
  const { precision, isFrozen } = classifier.network;
  // A head alone trains in float32.
  const isScaled = (precision === 'mixed' && !isFrozen) || (group && options.gradientCompression === 'f16');
  const lossScaling = isScaled ? (options.lossScaling ?? 'dynamic') : undefined;
  const { learningRate } = options.optimizer;
  const layers = classifier.network.table.map(({ name }) => name);
  const optimizer = new Optimizer(options.optimizer, rateGroups(options.rates ?? {}, layers), lossScaling);
  if (resume) {
    classifier.restore(resume.variables);
    const { optimizerSteps, lossScale } = resume.progress;
    optimizer.restore({ tensors: resume.optimizer, steps: optimizerSteps, lossScale });
  }
  const first: Partial<TrainPhase> = options.phase ?? {};
  const {
    index,
    name: phaseName,
    history: earlier = [],
    bestEpoch = NOT_BEGUN.bestEpoch,
    bestScore = NOT_BEGUN.bestScore,
  } = first;
  let progress: Progress = resume?.progress ?? { ...NOT_BEGUN, phase: index, bestEpoch, bestScore, history: earlier };
  /** Epochs of the phases before this one. */
  const behindPhase = progress.history.length - progress.epoch;
  const history = [...progress.history];
  const memory = { tensorsAfterStep2: 0, tensorsAtEnd: 0 };
  let stepsHere = 0;
  let stepSeconds = 0;
  let interrupted = false;
  let runner: StepRunner | undefined;
  let average: WeightAverage | undefined;
  let weighting: tf.Tensor1D | undefined;
  const exchange =
    group &&
    new GradientExchange(group, options.gradientCompression, options.syncBatchNorm, options.gradientBucketBytes);
  const skips = new SkipWatch(optimizer, READ_EVERY);

  let savedAt = now();
  /** Of the epoch. */
  let stepNow = 0;
  let features: Features | undefined;
  const formatOf = (): InputFormat => (features ? { shape: [features.width] } : imageFormat(train, imageSize));
  let steps = 0;
  let stepOptions: StepOptions = {};
  const checkpoint = async (): Promise<Checkpoint> => {
    const state = await optimizer.state();
    progress = { ...progress, history: [...history], optimizerSteps: state.steps, ...(state.lossScale && { lossScale: state.lossScale }) }; // prettier-ignore
    const variables = await classifier.state();
    const averages = await average?.state();
    const spoilt = nonFinite(variables) ?? nonFinite(averages ?? new Map());
    if (spoilt !== undefined)
      throw new DivergedError(divergence(`'${spoilt}' was not finite any more`, options), stepNow);
    savedAt = now();
    return { variables, optimizer: state.tensors, average: averages, progress };
  };

  try {
    const keeps = isFrozen && train.pixels?.isAugmented !== true && !mixes(options.mix);
    features = keeps ? await getFeatures(options, hooks, 'train', train) : undefined;
    const isStopped = (): Promise<boolean> => some(signal?.aborted ?? false, group);
    if (await isStopped()) return await finish(true, undefined);
    const validationFeatures =
      isFrozen && validation ? await getFeatures(options, hooks, 'validation', validation) : undefined;
    if (await isStopped()) return await finish(true, undefined);
    if (options.averageDecay !== undefined) {
      average = await WeightAverage.of(classifier.variables, options.averageDecay);
      if (resume?.average) average.restore(resume.average);
    }

    const length = features?.labels.length ?? train.length;
    if (length < place.size)
      throw new Error(
        `There are ${length} training images for ${place.size} ranks: start fewer, one for each image at most.`,
      );
    steps = Math.ceil(length / stepSize);
    progress = onRanks(progress, { length, steps, stepSize });
    hooks.onPhase?.('training', steps * epochs);
    const weights = classWeights(options.classWeighting ?? 'none', train.labels, classifier.head.classes);
    weighting = weights && tf.tensor1d(weights);
    stepOptions = {
      labelSmoothing: options.labelSmoothing,
      classWeights: weighting,
      mix: options.mix,
      coral,
      average,
      exchange,
    };
    runner = await runnerThatFits(stepShareSizes(length, batchSize, place));
    const { sums } = runner;
    // What ranks have summed is added up over them when it is read.
    if (resume?.progress.unread && place.rank === 0) sums.restore(resume.progress.unread);
    if (!resume) await checkpoints?.saveLast(await checkpoint());
    const isStale = (): boolean => progress.epoch - Math.max(0, progress.bestEpoch - behindPhase) >= patience;
    while (progress.epoch < epochs && !interrupted && !isStale()) {
      const epoch = behindPhase + progress.epoch + 1;
      const order = epochOrder(train, features, seed, epoch);
      let { step, position = step * batchSize, lossSum, correct, seen } = progress;
      const rest = order.subarray(position);
      const share = group ? stepShareOf(rest, batchSize, group) : rest;
      const batches = trainingBatches(train, features, share, batchSize, epoch, { fill: !group });
      const targets = coral && target && targetBatches(coral, target.size, seed + place.rank, progress.totalSteps);
      const behind = position;
      const start = now();
      const seenBefore = seen;
      let dataSeconds = 0;
      for (let waited = now(); ; waited = now()) {
        if (group && step === steps) break;
        const { value: read } = await batches.next();
        const batch = read && targets ? { ...read, target: (await targets.next()).value } : read;
        dataSeconds += now() - waited;
        if (!group && !batch) break;
        const images = batch?.size ?? 0;
        const isDue = checkpoints !== undefined && now() - savedAt >= checkpointSeconds;
        const mine = { images, stops: signal?.aborted ?? false, saves: isDue };
        const turn = group && (await agreeOnTurn(group, mine));
        optimizer.learningRate = learningRate * rateShare(schedule, progress.totalSteps, steps * epochs);
        if (turn) await runner.runTogether(images > 0 ? batch : undefined, progress.totalSteps, turn.images);
        else if (batch) runner.run(batch, progress.totalSteps);
        await options.settle?.();
        stepNow = ++step;
        seen += turn?.images ?? images;
        if (turn) position = Math.min(length, position + stepSize);
        else position = batch?.taken === undefined ? position + images : behind + batch.taken;
        progress = { ...progress, totalSteps: progress.totalSteps + 1 };
        if (++stepsHere === 2) memory.tensorsAfterStep2 = tf.memory().numTensors;
        memory.tensorsAtEnd = tf.memory().numTensors;
        interrupted = turn?.stops ?? signal?.aborted ?? false;
        if (step % READ_EVERY === 0 || step === steps) {
          const total = await overRanks(await sums.take(), group);
          lossSum += total.loss;
          correct += total.correct;
          if (!Number.isFinite(lossSum)) throw new DivergedError(divergence(lossAt(epoch, step), options), step);
          await skips.look(stepsHere);
          const seconds = now() - start;
          hooks.onStep?.({ epoch, step, steps, loss: lossSum / seen, accuracy: correct / seen, imagesPerSecond: (seen - seenBefore) / seconds, dataSeconds }); // prettier-ignore
        }
        // At the end of an epoch its own checkpoint follows at once.
        const saves = interrupted || (turn?.saves ?? (checkpoints && now() - savedAt >= checkpointSeconds));
        if (step === steps || !saves || !(checkpoints ?? group)) {
          if (interrupted) break;
          continue;
        }
        const unread = await overRanks(await sums.peek(), group);
        if (!Number.isFinite(unread.loss)) throw new DivergedError(divergence(lossAt(epoch, step), options), step);
        progress = { ...progress, step, position, unread, lossSum, correct, seen };
        if (group) await levelMovingStatistics(classifier, group);
        await checkpoints?.saveLast(await checkpoint());
        if (interrupted) break;
      }
      await targets?.return(undefined);
      stepSeconds += now() - start;
      if (interrupted && step < steps) break;
      const unread = await overRanks(await sums.take(), group);
      lossSum += unread.loss;
      correct += unread.correct;
      const seconds = now() - start;
      if (group) await levelMovingStatistics(classifier, group);
      average?.swap();
      if (group && average) await levelMovingStatistics(classifier, group);
      const validated = validation && (await evaluateClassifier(classifier, validation, imageSize, batchSize, { features: validationFeatures, group, onSmallerBatch: hooks.onSmallerBatch })); // prettier-ignore
      average?.swap();
      const record: EpochRecord = {
        epoch,
        ...(phaseName !== undefined && { phase: phaseName }),
        loss: lossSum / Math.max(seen, 1),
        accuracy: correct / Math.max(seen, 1),
        ...(validated && {
          validationLoss: validated.loss,
          validationAccuracy: validated.accuracy,
          validationMacroF1: validated.macroF1,
        }),
        learningRate: optimizer.learningRate,
        seconds,
        imagesPerSecond: (seen - seenBefore) / seconds,
        dataSeconds,
      };
      history.push(record);
      const score = validated?.accuracy ?? epoch;
      const isBest = score > progress.bestScore;
      progress = { ...progress, epoch: progress.epoch + 1, step: 0, position: 0, unread: undefined, lossSum: 0, correct: 0, seen: 0, ...(isBest && { bestEpoch: epoch, bestScore: score }) }; // prettier-ignore
      if (checkpoints) {
        const saved = await checkpoint();
        const { average: averaged, ...bare } = saved;
        // The best first: a run that ends between the two does the epoch again, and the same best comes of it.
        if (isBest) await checkpoints.saveBest(averaged ? { ...bare, variables: averaged } : saved);
        await checkpoints.saveLast(saved);
      }
      await hooks.onEpoch?.(record);
    }
    // What was validated is what the classifier ends as.
    if (!interrupted) average?.swap();
    return await finish(interrupted, validationFeatures);
  } catch (error) {
    runner?.dispose();
    runner = undefined;
    // Ranks go over steps together or not at all, and CORAL's target is not read again.
    if (error instanceof DivergedError && error.step !== undefined && !group && !coral)
      throw await located(error, error.step);
    throw error;
  } finally {
    runner?.dispose();
    weighting?.dispose();
    average?.dispose();
    optimizer.dispose();
    exchange?.dispose();
  }

  /** The error with the step and the layer in it, where the steps since the last checkpoint fail again. */
  async function located(error: DivergedError, upTo: number): Promise<DivergedError> {
    const from = await checkpoints?.loadLast?.();
    if (!from) return error;
    const { epoch, step, position = step * batchSize } = from.progress;
    const order = epochOrder(train, features, seed, behindPhase + epoch + 1);
    hooks.onPhase?.('looking for the layer', upTo - step);
    const found = await firstNonFinite({
      classifier,
      optimizer,
      average,
      from,
      upTo,
      format: formatOf(),
      options: stepOptions,
      batches: trainingBatches(train, features, order.subarray(position), batchSize, behindPhase + epoch + 1),
      beforeStep: (totalSteps) => {
        optimizer.learningRate = learningRate * rateShare(schedule, totalSteps, steps * epochs);
      },
    }).catch((failure: unknown) => {
      // Steps whose batch goes through in parts are repeated whole, for which there may be no memory: that it diverged stands.
      if (failure instanceof OutOfMemoryError) return undefined;
      throw failure;
    });
    return found === undefined ? error : new DivergedError(divergence(`the training stopped being finite at ${found}`, options)); // prettier-ignore
  }

  /** For batches whole, or, where those do not fit into the device's memory, in parts that do. */
  async function runnerThatFits(sizes: readonly number[]): Promise<StepRunner> {
    const format = formatOf();
    let failure: unknown;
    for (let part = batchSize; part >= 1; part = Math.floor(part / 2)) {
      const made = new StepRunner(classifier, optimizer, format, stepOptions, part < batchSize ? part : undefined, target); // prettier-ignore
      try {
        for (const size of sizes) await made.prepare(size);
        if (part < batchSize)
          hooks.onNote?.(
            `A training step of ${batchSize} images at ${imageSize} x ${imageSize} does not fit into the device's memory: it goes through in parts of ${part}, whose gradients are added up.`,
          );
        return made;
      } catch (error) {
        made.dispose();
        if (!(error instanceof OutOfMemoryError)) throw error;
        failure ??= error;
        if (seesWholeBatch(options, format)) throw await withSizeThatFits(error);
      }
    }
    throw notOne(failure);
  }

  /** The largest of half the batch, a quarter of it, ... whose step has room. */
  async function withSizeThatFits(error: OutOfMemoryError): Promise<Error> {
    for (let size = Math.floor(batchSize / 2); size >= 1; size = Math.floor(size / 2)) {
      const smaller = new StepRunner(classifier, optimizer, formatOf(), stepOptions, undefined, target);
      try {
        await smaller.prepare(size);
        await options.settle?.();
        return new BatchTooLargeError(
          `A training step of ${batchSize} images at ${imageSize} x ${imageSize} does not fit into the device's memory; ` +
            `one of ${size} does: use a batch size of ${size}. It is not split by itself, as batch-norms that train, images that are mixed, and CORAL need the whole batch.`,
          { cause: error },
        );
      } catch (failure) {
        if (!(failure instanceof OutOfMemoryError)) return error;
      } finally {
        smaller.dispose();
      }
    }
    return notOne(error);
  }

  function notOne(cause: unknown): BatchTooLargeError {
    return new BatchTooLargeError(
      `Not even a training step of one image at ${imageSize} x ${imageSize} fits into the device's memory; use smaller images, or thaw less.`,
      { cause },
    );
  }

  async function finish(stopped: boolean, validationFeatures: Features | undefined): Promise<TrainResult> {
    const lossScale = await optimizer.lossScaleState();
    const secondsPerStep = stepsHere === 0 ? 0 : stepSeconds / stepsHere;
    return { history, interrupted: stopped, bestEpoch: progress.bestEpoch, bestScore: progress.bestScore, memory, steps: stepsHere, secondsPerStep, lossScale, validationFeatures }; // prettier-ignore
  }
}

/** A process without others. */
const ALONE: Place = { rank: 0, size: 1 };

/** The progress counted in steps of another number of images, where the run goes on on other ranks. */
function onRanks(
  progress: Progress,
  { length, steps, stepSize }: { length: number; steps: number; stepSize: number },
): Progress {
  const { globalBatch: before = stepSize, epoch, step, position } = progress;
  if (before === stepSize) return { ...progress, globalBatch: stepSize };
  const behind = position ?? step * before;
  const stepNow = steps - Math.ceil((length - behind) / stepSize);
  return { ...progress, globalBatch: stepSize, step: stepNow, position: behind, totalSteps: epoch * steps + stepNow };
}

/** Whether a batch in parts would be another step: where batch-norms take their statistics of it, or its images are mixed. */
function seesWholeBatch(
  { classifier: { variables, trainables }, mix, coral }: TrainOptions,
  format: InputFormat,
): boolean {
  if (coral) return true;
  const moves = [...variables.keys()].some((name) => !trainables.has(name));
  return moves || mixedSide(mix, format) !== undefined;
}

const lossAt = (epoch: number, step: number): string =>
  `the loss stopped being finite at or within ${READ_EVERY} steps before step ${step} of epoch ${epoch}`;

const divergence = (what: string, { optimizer, classifier: { network } }: TrainOptions): string =>
  `${what}; the last checkpoint is from before it. Try a smaller learning rate than ${optimizer.learningRate}` +
  `${network.precision === 'mixed' ? ', or float32 in place of mixed precision' : ''}.`;

/** Features from the store, or computed and stored; undefined when interrupted. */
async function getFeatures(
  { classifier, imageSize, batchSize, features: store, trunkRunner, signal, group }: TrainOptions,
  hooks: TrainHooks,
  key: 'train' | 'validation',
  source: ImageSource,
): Promise<Features | undefined> {
  const kept = await store?.load(key);
  const isKept = kept?.labels.length === source.length && kept.width === classifier.head.inputs;
  if (!(await some(!isKept, group))) return kept;
  hooks.onPhase?.(`features of the ${key} images`, source.length);
  const onProgress = (done: number, total: number): void => hooks.onProgress?.(done, total);
  const runner = trunkRunner?.(key) ?? new BackendRunner(headFeatures(classifier, imageSize), hooks.onSmallerBatch);
  try {
    const features = await extractFeatures(runner, source, { batchSize, signal, onProgress, group });
    if (features) await store?.save(key, features);
    return features;
  } finally {
    runner.dispose();
  }
}
