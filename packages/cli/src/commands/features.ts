// thaw features: the trunk's features of a data set, to a file for other programs, or to a classical classifier.
import { dirname, extname, join, basename, resolve } from 'node:path';
import { extractFeatures, fitPca, projectFeatures, ResNet50, writeSafetensors, type Features } from '@thaw/model';
import type { ImageDataset } from '@thaw/data';
import { writeAtomically } from '@thaw/model/node';
import type { z } from 'zod';
import { CommandError, UsageError } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import { shortHash } from '../ranks/facts.ts';
import { openForCommand } from '../session/backend.ts';
import { limited, openPart, partHash, ranged } from '../session/data.ts';
import { checkFeaturesFit } from '../session/feature-memory.ts';
import { findHomes, type Homes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { openRun } from '../session/run.ts';
import { DataSource } from '../session/source.ts';
import { obtainWeights } from '../session/weights.ts';
import { encodeNpy } from '../text/npy.ts';
import { count, duration, rate } from '../text/format.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';
import { checkFeatureSettings, fitClassifier } from './features-classifier.ts';

const schema = allSettings
  .pick({
    data: true, split: true, range: true, limitTest: true, strict: true, imageSize: true, run: true, checkpoint: true,
    weights: true, weightsFile: true, precision: true, batchSize: true, seed: true, output: true, backend: true,
    adapter: true, trunk: true, config: true, quiet: true, json: true, verbose: true, classifier: true, pca: true,
    neighbors: true, trees: true, depth: true, l2: true, limitTrain: true, validationSplit: true, stratified: true,
    cacheFeatures: true,
  }) // prettier-ignore
  .partial({
    split: true, range: true, limitTest: true, imageSize: true, run: true, weights: true, weightsFile: true, precision: true,
    adapter: true, config: true, classifier: true, pca: true, trees: true, depth: true, l2: true, limitTrain: true, validationSplit: true,
    output: true,
  }); // prettier-ignore

export const features = defineCommand({
  name: 'features',
  summary: "write the trunk's features of a data set, or fit a classical classifier on them",
  description:
    'Runs every image through the trunk and writes its 2048 features, averaged over the image.\n' +
    'A .safetensors file holds `features` [n, 2048] and `labels` [n]; for .npy the labels lie beside it as *-labels.npy.\n' +
    'With --classifier it fits one on the features of the training part and writes a run folder that evaluate, predict and serve take.',
  options: [
    'data',
    ['split', { default: 'test, else validation, else train' }],
    'range',
    ['limitTest', { flags: '--limit-test <n>', description: 'a random subset of n images, every class keeping its share' }],
    'strict',
    ['limitTrain', { description: 'fit on a random subset of n training images, every class keeping its share' }],
    ['validationSplit', { default: '0.15' }],
    'stratified',
    ['imageSize', { default: "the data's own, 224 for folders" }],
    ['weights', { default: 'what is in THAW_HOME, else keras' }],
    'weightsFile', 'run',
    ['checkpoint', { default: 'best' }],
    ['precision', { default: "the run's, else float32" }],
    'classifier', 'pca',
    ['neighbors', { default: '5' }],
    ['trees', { default: '100' }],
    ['depth', { default: 'tree 8, forest 16, boosting 3' }],
    ['l2', { description: 'penalty on the squared weights of logistic, with standardised features', default: "1 / (2 n), scikit-learn's C = 1" }],
    ['batchSize', { default: '32' }],
    ['seed', { description: 'seed of the split, of subsets, of the trees and of random weights', default: '1' }],
    'cacheFeatures',
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    ['output', { description: 'the file to write, .safetensors or .npy; with --classifier the run folder', default: 'with --classifier runs/<date>-<data>-<kind>' }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw features --data cifar10 --split test --range 0:16 --image-size 32 --output f.safetensors', 'sixteen images'],
    ['thaw features --data photos/ --output photos.npy', 'for NumPy and scikit-learn'],
    [
      'thaw features --data photos/ --classifier logistic',
      'a classifier within a minute or two; then thaw predict --run',
    ],
    [
      'thaw features --data cifar10 --classifier boosting --pca 64 --limit-train 10000',
      'boosted trees on 64 components',
    ],
    ['thaw features --run runs/... --data photos/ --output f.safetensors', 'of a trunk that was thawed'],
  ],
  schema,
  defaults: {
    strict: false,
    checkpoint: 'best',
    batchSize: 32,
    seed: 1,
    stratified: false,
    neighbors: 5,
    cacheFeatures: true,
    backend: 'auto',
    trunk: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  ranks: 'share',
  run: featuresCommand,
});

async function featuresCommand(settings: z.infer<typeof schema>, context: Context): Promise<void> {
  await context.ranks.together(() => checkFeatureSettings(settings));
  const { classifier } = settings;
  return classifier === undefined
    ? writeFeatures(settings, context)
    : fitClassifier({ ...settings, classifier }, context);
}

async function writeFeatures(settings: z.infer<typeof schema>, { io, output, ranks }: Context): Promise<void> {
  const path = await ranks.together(() => featureFile(settings.output, io.cwd));
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const { dataset, notes } = await ranks.fetching((download) =>
    openPart(settings.data, settings.split, { cwd: io.cwd, homes, progress, download }),
  );
  for (const note of notes) output.warn(note);
  const indices = await ranks.together(() =>
    ranged(limited(dataset, settings.limitTest, settings.seed), settings.range),
  );
  const interrupt = listenForInterrupt();
  const backend = await ranks.together(() => openForCommand(settings, { io, output }));
  const trunk = new Trunk({ settings, backend, output, ranks: ranks.size });
  const reporter = createReporter(output);
  try {
    const { network, imageSize } = await ranks.fetching((download) => openTrunk(settings, { io, output, homes, dataset, download })); // prettier-ignore
    await ranks.agree({
      'the hash of the images': shortHash(partHash({ dataset, indices })),
      'the hash of the weights': shortHash((await network.exportWeights()).hash),
    });
    const source = new DataSource(dataset, indices, {
      imageSize,
      preprocessing: network.variant.preprocessing,
      strict: settings.strict,
      onSkip: (image) => output.skipped(image),
    });
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    let use: TrunkUse | undefined;
    const runner = trunk.runner(
      { network, pooling: 'average', width: network.channels, imageSize },
      { onUse: (found) => void (use = found) },
    );
    await ranks.together(() => checkFeaturesFit(indices.length, network.channels, 'Compute them in parts with --range.')); // prettier-ignore
    const extracted = await extractFeatures(runner, source, {
      batchSize: settings.batchSize,
      group: ranks.group,
      onProgress: (done, total) =>
        reporter.show({
          label: 'features',
          done,
          total,
          imagesPerSecond: done / seconds(),
          secondsLeft: (seconds() / done) * (total - done),
        }),
    });
    runner.dispose();
    reporter.clear();
    const images = extracted?.labels.length ?? 0;
    if (!extracted || images === 0)
      throw ranks.share(new CommandError(`${settings.data}: not one image could be read.`));
    if (!ranks.isFirst) return;
    const projection = settings.pca === undefined ? undefined : await fitPca(extracted, settings.pca);
    const found = await projectFeatures(extracted, projection);
    await write(path, found);
    output.event('result', { output: path, images, width: found.width, seconds: seconds(), trunk: use });
    output.result(
      `${count(images)} x ${count(found.width)} features in ${path}  (${rate(images / seconds())} images/s, ${duration(seconds())})`,
    );
  } finally {
    reporter.clear();
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}

/** @throws UsageError where no file is named, or one of another kind */
function featureFile(output: string | undefined, cwd: string): string {
  if (output === undefined)
    throw new UsageError(
      '--output is missing: the file to write, .safetensors or .npy; or fit something with --classifier.',
    );
  const path = resolve(cwd, output);
  if (!['.safetensors', '.npy'].includes(extname(path)))
    throw new UsageError(`--output: "${output}" ends in neither .safetensors nor .npy.`);
  return path;
}

interface TrunkPlace extends Pick<Context, 'io' | 'output'> {
  readonly homes: Homes;
  readonly dataset: ImageDataset;
  readonly download: boolean;
}

/** The trunk of a run, or one with ImageNet weights, and the side of its images. */
async function openTrunk(
  settings: z.infer<typeof schema>,
  { io, output, homes, dataset, download }: TrunkPlace,
): Promise<{ network: ResNet50; imageSize: number }> {
  const progress = byteProgress(output);
  if (settings.run !== undefined) {
    const folder = resolve(io.cwd, settings.run);
    const run = await openRun({ ...settings, folder, onNote: (note) => output.warn(note), download }, homes, progress);
    return { network: run.features.network, imageSize: settings.imageSize ?? run.config.network.imageSize };
  }
  const imageSize = settings.imageSize ?? Math.max(32, dataset.imageSize?.height ?? 224);
  const { weights } = await obtainWeights({ ...settings, download }, homes, progress);
  return { network: new ResNet50(weights, { imageSize, precision: settings.precision ?? 'float32' }), imageSize };
}

async function write(path: string, { values, labels, width }: Features): Promise<void> {
  if (extname(path) === '.npy') {
    await writeAtomically(path, encodeNpy(values, [labels.length, width]));
    await writeAtomically(
      join(dirname(path), `${basename(path, '.npy')}-labels.npy`),
      encodeNpy(labels, [labels.length]),
    );
    return;
  }
  const tensors = new Map([
    ['features', { shape: [labels.length, width], data: values }],
    ['labels', { shape: [labels.length], data: labels }],
  ] as const);
  await writeAtomically(path, writeSafetensors(tensors));
}
