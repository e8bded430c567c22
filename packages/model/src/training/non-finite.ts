// Where a training run first was not finite: the steps since its last checkpoint once more, each looked at, and the one that
// fails layer by layer.
import { watchLayers } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { WeightAverage } from '../optimizers/weight-average.ts';
import { inputTensor, type InputFormat, type TrainingBatch } from './batch-input.ts';
import type { Classifier } from './classifier.ts';
import { mixForStep, mixImages, mixTensors } from './mix.ts';
import { beginStep, constantPart, gradientsOf, type StepOptions } from './step.ts';
import { StepRunner } from './step-runner.ts';
import type { Checkpoint, NamedTensors } from './types.ts';

/** A run as it can be repeated from a checkpoint. */
export interface Repeatable {
  readonly classifier: Classifier;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | undefined;
  readonly format: InputFormat;
  readonly options: StepOptions;
  /** The checkpoint to start from. */
  readonly from: Checkpoint;
  /** Those that came after it in its epoch. */
  readonly batches: AsyncIterable<TrainingBatch>;
  /** Of the epoch: the step at which it was noticed. */
  readonly upTo: number;
  /** Sets the rates of a step. @param totalSteps its number in the run */
  readonly beforeStep: (totalSteps: number) => void;
}

/**
 * Leaves the classifier as it was before the step that failed. Steps have the same bits again, so that they fail again.
 * @returns in words, which step and where; undefined where no step fails
 */
export async function firstNonFinite(run: Repeatable): Promise<string | undefined> {
  const { classifier, optimizer, average, format, options, from, batches, upTo, beforeStep } = run;
  const { progress } = from;
  classifier.restore(from.variables);
  optimizer.restore({ tensors: from.optimizer, steps: progress.optimizerSteps, lossScale: progress.lossScale });
  if (from.average) average?.restore(from.average);
  const runner = new StepRunner(classifier, optimizer, format, options);
  try {
    let [step, totalSteps] = [progress.step, progress.totalSteps];
    let before = from.variables;
    for await (const batch of batches) {
      if (step >= upTo) return undefined;
      beforeStep(totalSteps);
      runner.run(batch, totalSteps);
      const { loss } = await runner.sums.take();
      const after = await classifier.state();
      const spoilt = nonFinite(after);
      if (!Number.isFinite(loss) || spoilt !== undefined) {
        classifier.restore(before);
        const place = await whereInStep(run, batch, totalSteps);
        return `step ${step + 1} of epoch ${progress.history.length + 1}: first ${place ?? `in what the update made of '${spoilt ?? ''}'`}`;
      }
      before = after;
      step++;
      totalSteps++;
    }
    return undefined;
  } finally {
    runner.dispose();
  }
}

/** Name of a tensor with a value that is not finite. */
export function nonFinite(tensors: NamedTensors): string | undefined {
  for (const [name, { data }] of tensors) if (!data.every(Number.isFinite)) return name;
  return undefined;
}

/** Input, then layers in their order, then the loss, then gradients from the last layer to the first. */
async function whereInStep(
  { classifier, optimizer, format, options }: Repeatable,
  batch: TrainingBatch,
  totalSteps: number,
): Promise<string | undefined> {
  const { network } = classifier;
  beginStep(classifier, optimizer, totalSteps, options);
  const checks: { place: string; isFinite: tf.Tensor }[] = [];
  const check = (place: string, tensor: tf.Tensor): void => {
    checks.push({ place, isFinite: tf.keep(tf.tidy(() => tf.all(tf.isFinite(tf.cast(tensor, 'float32'))))) });
  };
  tf.tidy(() => {
    const x = inputTensor(batch, format, batch.size);
    check(network.isFrozen && x.rank === 2 ? 'in the features of the frozen trunk' : 'in the images', x);
    const labels = tf.tensor1d(batch.labels, 'int32');
    const watch = (name: string, output: tf.Tensor): void => {
      if (name !== 'metrics') check(name === 'loss' ? 'in the loss' : `in the output of layer '${name}'`, output);
    };
    const drawn = mixForStep(options.mix, format, totalSteps, batch.size);
    const mix = drawn && mixTensors(drawn);
    const { gradients, correct } = watchLayers(watch, () => {
      const h = constantPart(classifier, mix ? mixImages(x, mix) : x);
      return gradientsOf(classifier, h, { labels, mix }, options, optimizer.lossScale);
    });
    correct?.dispose();
    for (const [name, gradient] of [...gradients].reverse()) check(`in the gradient of '${name}'`, gradient);
  });
  try {
    for (const { place, isFinite } of checks) if ((await isFinite.data())[0] === 0) return place;
    return undefined;
  } finally {
    tf.dispose(checks.map(({ isFinite }) => isFinite));
  }
}
