// The learning-rate range test: a few steps at rates that rise exponentially, and the loss of each, until it diverges (Smith,
// "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3). It trains what it is given: hand it a copy.
import { Optimizer, type OptimizerConfig } from '../optimizers/optimizer.ts';
import { rateGroups, type RateRules } from '../optimizers/rate-groups.ts';
import { imageFormat, type TrainingBatch } from './batch-input.ts';
import type { Classifier } from './classifier.ts';
import { epochOrder } from './shuffle.ts';
import { StepRunner } from './step-runner.ts';
import { trainingBatches } from './training-batches.ts';
import type { Features, ImageSource } from './types.ts';

/** What is tried on what. */
export interface RateTestOptions {
  /** What is trained, and is of no use afterwards. */
  readonly classifier: Classifier;
  /** Images to learn from, over and over. */
  readonly train: ImageSource;
  /** What a trunk that is frozen to its end gives for them: the head alone trains. */
  readonly features?: Features | undefined;
  /** Height and width of the images. */
  readonly imageSize: number;
  /** Images in a step. */
  readonly batchSize: number;
  /** Which; its rate is not used. */
  readonly optimizer: OptimizerConfig;
  /** Rates of the trunk's stages; default the head's. */
  readonly rates?: RateRules | undefined;
  /** Of the labels; default 0. */
  readonly labelSmoothing?: number | undefined;
  /** Seed of the order of images. */
  readonly seed: number;
  /** The rate of the first step; default 1e-6. */
  readonly from?: number | undefined;
  /** The rate of the last; default 1. */
  readonly to?: number | undefined;
  /** At most; default 100. */
  readonly steps?: number | undefined;
  /** Ends the test early. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every step, with the number of steps done. */
  readonly onStep?: ((done: number, steps: number) => void) | undefined;
}

/** One step. */
export interface RatePoint {
  /** Its learning rate. */
  readonly rate: number;
  /** Mean over its images. */
  readonly loss: number;
  /** The losses up to it, smoothed. */
  readonly smoothed: number;
}

/** What the test came to. */
export interface RateTest {
  /** One of each step with a finite loss. */
  readonly points: readonly RatePoint[];
  /** Whether the loss rose so far that the test ended before its last step. */
  readonly diverged: boolean;
  /** Where the smoothed loss falls the fastest; undefined where it never falls. */
  readonly steepest: number | undefined;
  /** Where it is the lowest; undefined without points. */
  readonly lowest: number | undefined;
}

/** Share of itself that the smoothed loss keeps in a step. */
const KEPT = 0.9;
/** Times the lowest smoothed loss, from which the test has diverged (fastai's). */
const DIVERGED = 4;
/** Steps in which the smoothed loss is still that of a few batches: their slope says nothing. */
const WARM = 10;

/** The rate of a step. @param step from 0 */
export const rateOfStep = (step: number, from: number, to: number, steps: number): number =>
  from * (to / from) ** (steps < 2 ? 0 : step / (steps - 1));

/** @throws where the rates or steps make no sense */
export async function findRate(options: RateTestOptions): Promise<RateTest> {
  const { classifier, train, features, imageSize, batchSize, from = 1e-6, to = 1, steps = 100, signal } = options;
  if (!(from > 0 && to > from)) throw new Error(`rate test: the rates must rise from above 0, got ${from} to ${to}.`);
  if (!(steps >= 2)) throw new Error(`rate test: it needs at least 2 steps, got ${steps}.`);
  const layers = classifier.network.table.map(({ name }) => name);
  const optimizer = new Optimizer(options.optimizer, rateGroups(options.rates ?? {}, layers));
  const format = features ? { shape: [features.width] } : imageFormat(train, imageSize);
  const runner = new StepRunner(classifier, optimizer, format, { labelSmoothing: options.labelSmoothing });
  const losses: { rate: number; loss: number }[] = [];
  let diverged = false;
  try {
    const length = features?.labels.length ?? train.length;
    await runner.prepare(Math.min(batchSize, length));
    for await (const batch of endless(options)) {
      if (losses.length === steps || signal?.aborted) break;
      const rate = rateOfStep(losses.length, from, to, steps);
      optimizer.learningRate = rate;
      runner.run(batch, losses.length);
      const loss = (await runner.sums.take()).loss / batch.size;
      if (!Number.isFinite(loss)) diverged = true;
      else losses.push({ rate, loss });
      options.onStep?.(losses.length, steps);
      diverged ||= hasDiverged(smooth(losses));
      if (diverged) break;
    }
  } finally {
    runner.dispose();
    optimizer.dispose();
  }
  return { ...readRates(smooth(losses)), diverged };
}

/** Batches of the images in one order after another. */
async function* endless({ train, features, batchSize, seed }: RateTestOptions): AsyncGenerator<TrainingBatch, void> {
  for (let epoch = 1; ; epoch++)
    yield* trainingBatches(train, features, epochOrder(train, features, seed, epoch), batchSize, epoch);
}

/** An exponential average of the losses, made up for its start (as Adam's moments are). */
export function smooth(losses: readonly { readonly rate: number; readonly loss: number }[]): RatePoint[] {
  let sum = 0;
  return losses.map(({ rate, loss }, step) => {
    sum = KEPT * sum + (1 - KEPT) * loss;
    return { rate, loss, smoothed: sum / (1 - KEPT ** (step + 1)) };
  });
}

function hasDiverged(points: readonly RatePoint[]): boolean {
  const last = points.at(-1);
  return last !== undefined && last.smoothed > DIVERGED * Math.min(...points.map(({ smoothed }) => smoothed));
}

/** What the smoothed losses say: the slope against the logarithm of the rate is steepest before the lowest point. */
export function readRates(points: readonly RatePoint[]): Pick<RateTest, 'points' | 'steepest' | 'lowest'> {
  let lowest: RatePoint | undefined;
  for (const point of points) if (!lowest || point.smoothed < lowest.smoothed) lowest = point;
  const end = lowest ? points.indexOf(lowest) : 0;
  let steepest: number | undefined;
  let fall = 0;
  // Over a tenth of the test: from one step to the next the batches differ more than the rates.
  const reach = Math.max(1, Math.floor(points.length / 20));
  for (let i = Math.min(WARM, Math.floor(points.length / 10)) + 1; i < end; i++) {
    const [before, at, after] = [points[i - reach], points[i], points[i + reach]];
    if (!before || !at || !after) continue;
    const slope = (after.smoothed - before.smoothed) / Math.log(after.rate / before.rate);
    if (slope < fall) [fall, steepest] = [slope, at.rate];
  }
  return { points, steepest, lowest: lowest?.rate };
}
