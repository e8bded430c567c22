// thaw find-lr: tries learning rates on a copy of the network, and suggests one.
import { resolve } from 'node:path';
import { extractFeatures, findRate, headFeatures, type RateTest } from '@thaw/model';
import type { z } from 'zod';
import { CommandError, InterruptedError } from '../errors.ts';
import { RECIPE_DEFAULTS, RUN_DEFAULTS } from '../options/presets.ts';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import { chartLibrary } from '../report/chart-library.ts';
import { ratePage } from '../report/rate-page.ts';
import { writeText } from '../runs/folder.ts';
import { openForCommand } from '../session/backend.ts';
import { buildClassifier, thawsTrunk } from '../session/classifier.ts';
import { openRunData } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { DataSource } from '../session/source.ts';
import { obtainWeights } from '../session/weights.ts';
import { rateChart, shortRate } from '../text/rates.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    data: true,
    limitTrain: true,
    strict: true,
    imageSize: true,
    weights: true,
    weightsFile: true,
    thaw: true,
    batchNorm: true,
    head: true,
    dropout: true,
    l2: true,
    precision: true,
    batchSize: true,
    optimizer: true,
    rateDecay: true,
    momentum: true,
    nesterov: true,
    weightDecay: true,
    decayKernelsOnly: true,
    labelSmoothing: true,
    seed: true,
    html: true,
    backend: true,
    adapter: true,
    trunk: true,
    quiet: true,
    json: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ limitTrain: true, imageSize: true, weights: true, weightsFile: true, html: true, adapter: true });

type RateSettings = z.infer<typeof schema>;

const STEPS = 100;

export const findLr = defineCommand({
  name: 'find-lr',
  summary: 'suggest a learning rate',
  description:
    'Trains a copy of the network for at most a hundred steps at rates that rise from 1e-6 to 1, until the loss diverges,\n' +
    'prints the loss against the rate, and suggests the rate at which it falls the fastest. Nothing is kept of the copy.',
  options: [
    'data',
    ['limitTrain', { default: 'as many as the steps need' }],
    'strict',
    ['imageSize', { default: "the data's own, 224 for folders" }],
    ['weights', { default: 'what is in THAW_HOME, else keras' }],
    'weightsFile',
    ['thaw', { default: 'none' }],
    ['batchNorm', { default: 'keras' }],
    ['head', { default: 'linear' }],
    'dropout', 'l2',
    ['precision', { default: 'float32' }],
    ['batchSize', { default: '32' }],
    ['optimizer', { default: 'adam' }],
    ['rateDecay', { default: '1' }],
    ['momentum', { default: '0.9' }],
    'nesterov', 'weightDecay', 'decayKernelsOnly',
    ['labelSmoothing', { default: '0' }],
    ['seed', { default: '1' }],
    ['html', { description: 'write a page with the chart' }],
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    'json', 'quiet', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw find-lr --data photos/', 'for a new head'],
    ['thaw find-lr --data photos/ --thaw conv5 --batch-norm frozen --html rates.html', 'with the last stage thawed, and a page'],
  ], // prettier-ignore
  schema,
  defaults: { ...RECIPE_DEFAULTS, ...RUN_DEFAULTS },
  run: findLrCommand,
});

async function findLrCommand(settings: RateSettings, { io, output }: Context): Promise<void> {
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const interrupt = listenForInterrupt(() => output.say('\nStopping after this step; Ctrl-C again quits at once.'));
  const { batchSize, seed, strict, optimizer: kind, momentum, nesterov, weightDecay } = settings;
  const reporter = createReporter(output);
  let backend: Awaited<ReturnType<typeof openForCommand>> | undefined;
  let trunk: Trunk | undefined;
  try {
    const place = { cwd: io.cwd, homes, progress, signal: interrupt.signal };
    const limitTrain = settings.limitTrain ?? STEPS * batchSize;
    const data = await openRunData({ data: settings.data, seed, limitTrain, stratified: true }, place);
    const thaws = thawsTrunk(settings);
    backend = await openForCommand({ ...settings, thaws }, { io, output });
    trunk = new Trunk({ settings, backend, output, signal: interrupt.signal });
    const { weights } = await obtainWeights(settings, homes, progress);
    const imageSize = settings.imageSize ?? Math.max(32, data.train.dataset.imageSize?.height ?? 224);
    const classifier = buildClassifier(weights, { ...settings, imageSize }, data.classes.length);
    let found: RateTest;
    try {
      const { preprocessing } = classifier.network.variant;
      const train = new DataSource(data.train.dataset, data.train.indices, { imageSize, preprocessing, strict, seed });
      const show = (label: string) => (done: number, total: number) => reporter.show({ label, done, total });
      const runner = thaws ? undefined : trunk.runner(headFeatures(classifier, imageSize));
      const { signal } = interrupt;
      const features = runner && (await extractFeatures(runner, train, { batchSize, signal, onProgress: show('features') }).finally(() => runner.dispose())); // prettier-ignore
      if (signal.aborted) throw new InterruptedError('Interrupted; no rate was tried yet.', interrupt.exitCode);
      found = await findRate({
        classifier,
        train,
        features,
        imageSize,
        batchSize,
        seed,
        steps: STEPS,
        signal,
        optimizer: kind === 'adam' ? { kind, learningRate: 1, weightDecay } : { kind, learningRate: 1, momentum, nesterov, weightDecay }, // prettier-ignore
        rates: { stageDecay: settings.rateDecay, decayKernelsOnly: settings.decayKernelsOnly },
        labelSmoothing: settings.labelSmoothing,
        onStep: show('rates'),
      });
    } finally {
      reporter.clear();
      classifier.dispose();
    }
    if (interrupt.signal.aborted)
      throw new InterruptedError('Interrupted before the rates were tried.', interrupt.exitCode);
    output.event('result', { suggested: found.steepest, ...found });
    if (settings.html !== undefined) {
      const page = { test: found, title: `Learning rates on ${data.name}`, commandLine: io.commandLine };
      await writeText(resolve(io.cwd, settings.html), ratePage(page, await chartLibrary()));
    }
    if (found.steepest === undefined)
      throw new CommandError(
        'The loss did not fall at any rate: no rate can be suggested. Are the labels right, and are there images enough?',
      );
    output.result(
      `${rateChart(found, output)}\n\nThe loss falls the fastest at ${shortRate(found.steepest)}: thaw train --learning-rate ${shortRate(found.steepest)}`,
    );
  } finally {
    interrupt.stop();
    await trunk?.close();
    backend?.close();
  }
}
