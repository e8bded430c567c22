// The training loop: epochs over a source, validation after each, best and last checkpoints, interruption and resumption.
// A trunk frozen to its end is run once per image and the head trains on the features; otherwise every step runs it.
import { OutOfMemoryError } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { Optimizer } from '../optimizers/optimizer.ts';
import { rateGroups } from '../optimizers/rate-groups.ts';
import { rateShare } from '../optimizers/schedule.ts';
import { WeightAverage } from '../optimizers/weight-average.ts';
import { imageFormat, type InputFormat } from './batch-input.ts';
import { classWeights } from './class-weights.ts';
import { evaluateClassifier } from './evaluate.ts';
import { extractFeatures } from './extract.ts';
import { mixes } from './mix.ts';
import { firstNonFinite, nonFinite } from './non-finite.ts';
import { permutation } from './shuffle.ts';
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
  const { precision, isFrozen } = classifier.network;
  // A head alone trains in float32.
  const lossScaling = precision === 'mixed' && !isFrozen ? (options.lossScaling ?? 'dynamic') : undefined;
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
    const validationFeatures =
      isFrozen && validation && !signal?.aborted
        ? await getFeatures(options, hooks, 'validation', validation)
        : undefined;
    if (signal?.aborted) return await finish(true, undefined);
    if (options.averageDecay !== undefined) {
      average = await WeightAverage.of(classifier.variables, options.averageDecay);
      if (resume?.average) average.restore(resume.average);
    }

    const length = features?.labels.length ?? train.length;
    steps = Math.ceil(length / batchSize);
    hooks.onPhase?.('training', steps * epochs);
    const weights = classWeights(options.classWeighting ?? 'none', train.labels, classifier.head.classes);
    weighting = weights && tf.tensor1d(weights);
    stepOptions = { labelSmoothing: options.labelSmoothing, classWeights: weighting, mix: options.mix, average };
    runner = new StepRunner(classifier, optimizer, formatOf(), stepOptions);
    const { sums } = runner;
    if (resume?.progress.unread) sums.restore(resume.progress.unread);
    for (const size of new Set([Math.min(batchSize, length), length % batchSize || batchSize]))
      await runner.prepare(size);
    if (!resume) await checkpoints?.saveLast(await checkpoint());
    const isStale = (): boolean => progress.epoch - Math.max(0, progress.bestEpoch - behindPhase) >= patience;
    while (progress.epoch < epochs && !interrupted && !isStale()) {
      const epoch = behindPhase + progress.epoch + 1;
      const order = permutation(length, seed, epoch);
      let { step, position = step * batchSize, lossSum, correct, seen } = progress;
      const batches = trainingBatches(train, features, order.subarray(position), batchSize, epoch);
      const behind = position;
      const start = now();
      const seenBefore = seen;
      let dataSeconds = 0;
      for (let waited = now(); ; waited = now()) {
        const { value: batch, done } = await batches.next();
        dataSeconds += now() - waited;
        if (done === true) break;
        optimizer.learningRate = learningRate * rateShare(schedule, progress.totalSteps, steps * epochs);
        runner.run(batch, progress.totalSteps);
        await options.settle?.();
        stepNow = ++step;
        seen += batch.size;
        position = batch.taken === undefined ? position + batch.size : behind + batch.taken;
        progress = { ...progress, totalSteps: progress.totalSteps + 1 };
        if (++stepsHere === 2) memory.tensorsAfterStep2 = tf.memory().numTensors;
        memory.tensorsAtEnd = tf.memory().numTensors;
        interrupted = signal?.aborted ?? false;
        if (step % READ_EVERY === 0 || step === steps) {
          const read = await sums.take();
          lossSum += read.loss;
          correct += read.correct;
          if (!Number.isFinite(lossSum)) throw new DivergedError(divergence(lossAt(epoch, step), options), step);
          await skips.look(stepsHere);
          const seconds = now() - start;
          hooks.onStep?.({ epoch, step, steps, loss: lossSum / seen, accuracy: correct / seen, imagesPerSecond: (seen - seenBefore) / seconds, dataSeconds }); // prettier-ignore
        }
        // At the end of an epoch its own checkpoint follows at once.
        if (step === steps || !checkpoints || !(interrupted || now() - savedAt >= checkpointSeconds)) {
          if (interrupted) break;
          continue;
        }
        const unread = await sums.peek();
        if (!Number.isFinite(unread.loss)) throw new DivergedError(divergence(lossAt(epoch, step), options), step);
        progress = { ...progress, step, position, unread, lossSum, correct, seen };
        await checkpoints.saveLast(await checkpoint());
        if (interrupted) break;
      }
      stepSeconds += now() - start;
      if (interrupted && step < steps) break;
      const rest = await sums.take();
      lossSum += rest.loss;
      correct += rest.correct;
      const seconds = now() - start;
      average?.swap();
      const validated = validation && (await evaluateClassifier(classifier, validation, imageSize, batchSize, { features: validationFeatures })); // prettier-ignore
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
    if (error instanceof DivergedError && error.step !== undefined) throw await located(error, error.step);
    if (error instanceof OutOfMemoryError) throw await withSizeThatFits(error);
    throw error;
  } finally {
    runner?.dispose();
    weighting?.dispose();
    average?.dispose();
    optimizer.dispose();
  }

  /** The error with the step and the layer in it, where the steps since the last checkpoint fail again. */
  async function located(error: DivergedError, upTo: number): Promise<DivergedError> {
    const from = await checkpoints?.loadLast?.();
    if (!from) return error;
    const { epoch, step, position = step * batchSize } = from.progress;
    const order = permutation(features?.labels.length ?? train.length, seed, behindPhase + epoch + 1);
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
    });
    return found === undefined ? error : new DivergedError(divergence(`the training stopped being finite at ${found}`, options)); // prettier-ignore
  }

  /** The largest of half the batch, a quarter of it, ... whose step has room. */
  async function withSizeThatFits(error: OutOfMemoryError): Promise<Error> {
    for (let size = Math.floor(batchSize / 2); size >= 1; size = Math.floor(size / 2)) {
      const smaller = new StepRunner(classifier, optimizer, formatOf(), stepOptions);
      try {
        await smaller.prepare(size);
        await options.settle?.();
        return new BatchTooLargeError(
          `A training step of ${batchSize} images at ${imageSize} x ${imageSize} does not fit into the device's memory; ` +
            `one of ${size} does: use a batch size of ${size}. It is not split by itself, as batch-norms that train see the whole batch.`,
          { cause: error },
        );
      } catch (failure) {
        if (!(failure instanceof OutOfMemoryError)) return error;
      } finally {
        smaller.dispose();
      }
    }
    return new BatchTooLargeError(`Not even a training step of one image at ${imageSize} x ${imageSize} fits into the device's memory; use smaller images, or thaw less.`, { cause: error }); // prettier-ignore
  }

  async function finish(stopped: boolean, validationFeatures: Features | undefined): Promise<TrainResult> {
    const lossScale = await optimizer.lossScaleState();
    const secondsPerStep = stepsHere === 0 ? 0 : stepSeconds / stepsHere;
    return { history, interrupted: stopped, bestEpoch: progress.bestEpoch, bestScore: progress.bestScore, memory, steps: stepsHere, secondsPerStep, lossScale, validationFeatures }; // prettier-ignore
  }
}

const lossAt = (epoch: number, step: number): string =>
  `the loss stopped being finite at or within ${READ_EVERY} steps before step ${step} of epoch ${epoch}`;

const divergence = (what: string, { optimizer, classifier: { network } }: TrainOptions): string =>
  `${what}; the last checkpoint is from before it. Try a smaller learning rate than ${optimizer.learningRate}` +
  `${network.precision === 'mixed' ? ', or float32 in place of mixed precision' : ''}.`;

/** Features from the store, or computed and stored; undefined when interrupted. */
async function getFeatures(
  { classifier, imageSize, batchSize, features: store, trunkRunner, signal }: TrainOptions,
  hooks: TrainHooks,
  key: 'train' | 'validation',
  source: ImageSource,
): Promise<Features | undefined> {
  const kept = await store?.load(key);
  if (kept?.labels.length === source.length && kept.width === classifier.head.inputs) return kept;
  hooks.onPhase?.(`features of the ${key} images`, source.length);
  const onProgress = (done: number, total: number): void => hooks.onProgress?.(done, total);
  const runner = trunkRunner?.(key) ?? new BackendRunner(headFeatures(classifier, imageSize));
  try {
    const features = await extractFeatures(runner, source, { batchSize, signal, onProgress });
    if (features) await store?.save(key, features);
    return features;
  } finally {
    runner.dispose();
  }
}
