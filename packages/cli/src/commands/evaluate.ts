// thaw evaluate: a run on a data set: accuracy, macro-F1, scores by class, confusion matrix.
import { resolve } from 'node:path';
import { headFeatures, type TrunkRunner } from '@thaw/model';
import type { z } from 'zod';
import { InterruptedError } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import { openBackend } from '../session/backend.ts';
import { limited, openPart } from '../session/data.ts';
import { evaluatePart } from '../session/experiment.ts';
import { featureCache } from '../session/features.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { openRun } from '../session/run.ts';
import { DataSource } from '../session/source.ts';
import { readRunConfig } from '../runs/folder.ts';
import { evaluationText } from '../text/evaluation.ts';
import { plural } from '../text/format.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    data: true,
    split: true,
    limitTest: true,
    strict: true,
    weightsFile: true,
    checkpoint: true,
    precision: true,
    batchSize: true,
    seed: true,
    cacheFeatures: true,
    backend: true,
    adapter: true,
    trunk: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  }) // prettier-ignore
  .partial({
    data: true,
    split: true,
    limitTest: true,
    weightsFile: true,
    precision: true,
    adapter: true,
    config: true,
  });

export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'score a run on a data set',
  description: 'Prints accuracy, macro-F1, precision, recall and F1 of each class, and the confusion matrix.',
  argument: { name: '<run>', description: 'the run folder' },
  options: [
    ['data', { default: 'what the run was trained on' }],
    ['split', { default: 'test, else validation, else train' }],
    'limitTest', 'strict',
    ['checkpoint', { default: 'best' }],
    'weightsFile',
    ['precision', { default: "the run's" }],
    ['batchSize', { default: '32' }],
    ['seed', { description: 'seed of --limit-test', default: '1' }],
    'cacheFeatures',
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw evaluate runs/2026-11-24-101500-cifar10-article-1', "on its data set's test images"],
    ['thaw evaluate runs/... --data other-photos/', 'on images it has never seen; the class folders must be the same'],
  ],
  schema,
  defaults: {
    strict: false,
    checkpoint: 'best',
    batchSize: 32,
    seed: 1,
    cacheFeatures: true,
    backend: 'auto',
    trunk: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: evaluateCommand,
});

async function evaluateCommand(
  settings: z.infer<typeof schema>,
  { io, output }: Context,
  args: readonly string[],
): Promise<void> {
  const folder = resolve(io.cwd, args[0] ?? '.');
  const before = await readRunConfig(folder);
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const interrupt = listenForInterrupt();
  const { imageSize } = before.network;
  const data = settings.data ?? before.settings.data ?? '';
  const { dataset, notes } = await openPart(
    data,
    settings.split,
    { cwd: io.cwd, homes, progress },
    before.data.classes,
  );
  for (const note of notes) output.warn(note);
  const backend = await openBackend({
    io,
    onNote: (note) => output.say(note),
    ...settings,
    onFallback: (reason) => output.warn(`${reason} Going on with WebAssembly.`),
  });
  const trunk = new Trunk({ settings, backend, output });
  const reporter = createReporter(output);
  try {
    const { classifier, loaded } = await openRun(
      { ...settings, folder, onNote: (note) => output.warn(note) },
      homes,
      progress,
    );
    const part = { dataset, indices: limited(dataset, settings.limitTest, settings.seed) };
    let skipped = 0;
    const source = new DataSource(dataset, part.indices, {
      imageSize,
      preprocessing: classifier.network.variant.preprocessing,
      strict: settings.strict,
      onSkip: ({ path, reason }) => {
        skipped++;
        output.warn(`skipped ${path}: ${reason}`);
      },
    });
    const store =
      settings.cacheFeatures && classifier.network.isFrozen
        ? featureCache({
            homes,
            weights: loaded.weights,
            classifier,
            imageSize,
            parts: { part },
            onNote: (note) => output.warn(note),
          })
        : undefined;
    const start = performance.now();
    let use: TrunkUse | undefined;
    const openRunner = (): TrunkRunner =>
      trunk.runner(headFeatures(classifier, imageSize), { onUse: (found) => void (use = found) });
    const scored = await evaluatePart(classifier, source, {
      imageSize,
      batchSize: settings.batchSize,
      store,
      runner: classifier.network.isFrozen || trunk.mayLeave ? openRunner : undefined,
      key: 'part',
      signal: interrupt.signal,
      onProgress: (done, total) => {
        const imagesPerSecond = (1000 * done) / (performance.now() - start);
        reporter.show({
          label: dataset.name,
          done,
          total,
          imagesPerSecond,
          secondsLeft: (total - done) / imagesPerSecond,
        });
      },
    });
    reporter.clear();
    if (!scored) throw new InterruptedError('Interrupted.', interrupt.exitCode);
    const { evaluation } = scored;
    const { accuracy, macroF1, loss, confusion, perClass } = evaluation;
    output.event('result', {
      run: folder,
      data: dataset.name,
      images: evaluation.labels.length,
      skipped,
      accuracy,
      macroF1,
      loss,
      confusion,
      trunk: use,
      classes: before.data.classes.map((name, i) => ({ name, ...perClass[i] })),
    });
    output.result(
      evaluationText(evaluation, before.data.classes, {
        width: output.width,
        colors: output.colors,
        title: `images of ${dataset.name}, ${settings.checkpoint} checkpoint`,
      }),
    );
    if (skipped > 0) output.result(`${plural(skipped, 'unreadable image')} skipped`);
    classifier.dispose();
  } finally {
    reporter.clear();
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}
