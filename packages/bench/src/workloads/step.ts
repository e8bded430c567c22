// A whole training step of ResNet-50 with the article's head, or its feature extraction, on whichever engine is given:
// same weights, same images, same code, as the model composes its ops of TensorFlow.js's own off Thaw's backend.
import { randomWeights, Classifier, createHead, featureWidth, layerTable, beginStep, Inference, Optimizer, ResNet50, resolveFreeze, StepRunner, trainStep, uniformNumbers, VARIANTS, type Precision, type TrainingBatch, type TrunkWeights } from '@thaw/model'; // prettier-ignore
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engines/engine.ts';
import { timeRepetitions } from './repeat.ts';
import type { Workload } from './workload.ts';

/** A training step, or a part of it. */
export interface StepSpec {
  /** Which workload it is. */
  readonly kind: 'step';
  /** features: inference to the trunk's end; head: the head on features already there; else what thaws, as --thaw takes it. */
  readonly part:
    | 'features'
    | 'head'
    | {
        /** What thaws, as a freeze spec. */
        readonly thaw: string;
      };
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images in a step. */
  readonly batchSize: number;
  /** Of weights, images and labels. */
  readonly seed: number;
  /** Of thaw's trunk; other engines compute in float32. Default float32. */
  readonly precision?: Precision | undefined;
}

/** A training step, or a part of it, under a name. */
export interface StepCase {
  /** As the command takes it. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly about: string;
  /** What is run. */
  readonly part: StepSpec['part'];
}

/** Names are those of the presets where there is one. */
export const STEP_CASES: readonly StepCase[] = [
  { name: 'features', about: 'the frozen trunk, inference', part: 'features' },
  { name: 'head', about: 'the head alone, on cached features', part: 'head' },
  { name: 'article-2-last42', about: '--thaw -42:', part: { thaw: '-42:' } },
  { name: 'article-2', about: '--thaw :-42', part: { thaw: ':-42' } },
  { name: 'all', about: 'every layer, training batch-norm', part: { thaw: 'all' } },
];

/** Outputs of the head. */
export const CLASSES = 10;
/** torchvision's variant of the network, which is also what bench/pytorch_step.py runs. */
export const VARIANT = 'torchvision';

/** An optimizer that keeps the gradients it is given for some of the variables. */
class WatchedOptimizer extends Optimizer {
  readonly seen = new Map<string, tf.Tensor>();
  #watched = new Set<string>();

  watch(names: readonly string[]): void {
    this.#watched = new Set(names);
  }

  override update(name: string, variable: tf.Variable, gradient: tf.Tensor): void {
    if (this.#watched.has(name)) {
      const scale = this.lossScale?.scale;
      this.seen.set(name, tf.keep(scale ? tf.div(gradient, scale) : tf.clone(gradient)));
    }
    super.update(name, variable, gradient);
  }
}

interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface StepWorkload extends Workload {
  /** What verify() starts from: variables, `images` and `labels`. */
  inputs(): Promise<ReadonlyMap<string, HostTensor>>;
}

/** What a step is made of; the caller's to dispose. */
export interface StepParts {
  readonly classifier: Classifier;
  readonly optimizer: WatchedOptimizer;
  /** Of an image, or of a feature vector. */
  readonly shape: readonly number[];
  /** The trunk's before the step. */
  readonly weights: TrunkWeights;
  readonly batch: TrainingBatch & { readonly values: Float32Array };
}

/** Makes the network on an engine. @param rank whose images: each rank has its own, and all the same weights */
export async function makeStep(engine: Engine, spec: StepSpec, rank = 0): Promise<StepParts> {
  const { part, imageSize, batchSize, seed } = spec;
  const precision = engine.name === 'thaw' ? (spec.precision ?? 'float32') : 'float32';
  await engine.use();
  engine.resetPeak();
  const table = layerTable(VARIANTS[VARIANT], { imageSize });
  const trainable = typeof part === 'string' ? new Set<string>() : resolveFreeze(part.thaw, table);
  const weights = randomWeights({ seed, variant: VARIANT });
  const network = new ResNet50(weights, { trainable, batchNorm: 'keras', imageSize, precision });
  const inputs = featureWidth('article', network);
  const classifier = new Classifier(network, createHead({ spec: 'article', inputs, classes: CLASSES, seed }));
  const lossScaling = precision === 'mixed' && !network.isFrozen ? 'dynamic' : undefined;
  const optimizer = new WatchedOptimizer({ kind: 'adam', learningRate: 1e-3 }, undefined, lossScaling);
  const shape = part === 'head' ? [inputs] : [imageSize, imageSize, 3];
  const uniform = uniformNumbers(seed + 1 + rank);
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * uniform() - 1);
  const values = numbers(batchSize * shape.reduce((product, size) => product * size, 1));
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % CLASSES);
  return { classifier, optimizer, shape, weights, batch: { values, labels, size: batchSize } };
}

/** The network on an engine, ready to run. */
export async function stepWorkload(engine: Engine, spec: StepSpec): Promise<StepWorkload> {
  const { part, imageSize, batchSize } = spec;
  const { classifier, optimizer, shape, weights, batch } = await makeStep(engine, spec);
  const { values, labels } = batch;
  const runner = new StepRunner(classifier, optimizer, { shape });
  const inference = new Inference({ shape: [imageSize, imageSize, 3] }, (x) => classifier.features(x as tf.Tensor4D));

  let step = 0;
  const run =
    part === 'features' ? () => inference.run({ values }, batchSize).dispose() : () => runner.run(batch, step++);

  return {
    async inputs() {
      await engine.use();
      const start = await classifier.state();
      return new Map<string, HostTensor>([
        ...(part === 'head' ? [] : weights.tensors),
        ...start,
        ['images', { shape: [batchSize, ...shape], data: values }],
        ['labels', { shape: [batchSize], data: labels }],
      ]);
    },
    async verify() {
      await engine.use();
      if (part === 'features') {
        const found = inference.run({ values }, batchSize);
        const outputs = { features: Float32Array.from(await found.data<'float32'>()) };
        found.dispose();
        return outputs;
      }
      optimizer.watch(watchedNames([...classifier.trainables.keys()]));
      // Through the tape: a captured step hands out no gradients.
      beginStep(classifier, optimizer, step++);
      const x = tf.tensor(values, [batchSize, ...shape]);
      const labelTensor = tf.tensor1d(labels, 'int32');
      trainStep(classifier, optimizer, { x, labels: labelTensor, size: batchSize }, runner.sums);
      tf.dispose([x, labelTensor]);
      optimizer.watch([]);
      const { loss } = await runner.sums.take();
      const outputs: Record<string, Float32Array> = { loss: Float32Array.of(loss / batchSize) };
      for (const [name, gradient] of optimizer.seen) {
        outputs[`gradient of ${name}`] = Float32Array.from(await gradient.data<'float32'>());
        gradient.dispose();
      }
      optimizer.seen.clear();
      await engine.settle(0);
      return outputs;
    },
    async time(repetitions) {
      await engine.use();
      // The step through the tape, above, is not what is measured.
      if (step <= 1) engine.resetPeak();
      if (part === 'features') await inference.prepare(batchSize, Infinity);
      else await runner.prepare(batchSize);
      const sample = await timeRepetitions(engine, repetitions, run);
      // Sums of many steps; reading them is no part of a step.
      const { loss } = await runner.sums.take();
      if (part !== 'features' && !Number.isFinite(loss)) throw new Error(`${engine.name}: the loss is ${loss}.`);
      return sample;
    },
    async close() {
      await engine.use();
      runner.dispose();
      inference.dispose();
      classifier.dispose();
      optimizer.dispose();
      await engine.settle(0);
    },
  };
}

/** The lowest and the highest kernel and batch-norm that train, one kernel between them, and the head's first. */
function watchedNames(names: readonly string[]): string[] {
  const trunk = names.filter((name) => !name.startsWith('head/'));
  const kernels = trunk.filter((name) => name.endsWith('/kernel'));
  const gammas = trunk.filter((name) => name.endsWith('/gamma'));
  const picked = [
    kernels[0],
    kernels[kernels.length >> 1],
    kernels.at(-1),
    gammas[0],
    gammas.at(-1),
    names.find((name) => name.startsWith('head/')),
  ];
  return [...new Set(picked.filter((name) => name !== undefined))];
}
