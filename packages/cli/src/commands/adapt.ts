// thaw adapt: a run's batch-norms on the statistics of other images, unlabelled ones, in a run folder of its own (AdaBN).
import { basename, join, resolve } from 'node:path';
import type { SkippedImage } from '@thaw/data';
import { openUnlabelled } from '@thaw/data/node';
import { adaptBatchNorm, NOT_BEGUN } from '@thaw/model';
import { FileCheckpoints } from '@thaw/model/node';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import {
  claimRunFolder,
  dropIfEmpty,
  makeRunFolder,
  readRunConfig,
  runFile,
  runName,
  writeJson,
} from '../runs/folder.ts';
import { openForCommand } from '../session/backend.ts';
import { buildClassifier, readRunVariables } from '../session/classifier.ts';
import { dataSlug } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { weightsOfRun } from '../session/run.ts';
import { DataSource } from '../session/source.ts';
import { count, duration, plural } from '../text/format.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    data: true,
    checkpoint: true,
    weightsFile: true,
    batchSize: true,
    strict: true,
    output: true,
    backend: true,
    adapter: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ weightsFile: true, output: true, adapter: true, config: true });

export const adapt = defineCommand({
  name: 'adapt',
  summary: "move a run's batch-norms to other images, without labels",
  description:
    'Where the images that a run will see look different (darker, noisier, another camera), a folder of such images without labels\n' +
    'is enough: every batch-norm takes its mean and variance from them (AdaBN), the weights stay. Writes a run folder that evaluate\n' +
    'and predict take.',
  argument: { name: '<run>', description: 'the run folder' },
  options: [
    ['data', { flags: '--data <folder>', description: 'images of the new kind, in folders of any depth; a few hundred are enough' }],
    'strict',
    ['checkpoint', { default: 'best' }],
    'weightsFile',
    ['batchSize', { description: 'images whose statistics are taken at a time', default: '64' }],
    ['output', { flags: '--run-dir, --output <folder>', description: 'the new run folder', default: 'runs/<date>-<data>-adapted' }],
    ['backend', { default: 'auto' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw adapt runs/2026-11-24-101500-photos-custom --data night/', 'for pictures taken at night'],
    [
      'thaw evaluate runs/<the new one> --data night-labelled/',
      'whether it helped; the old run on the same images says',
    ],
  ],
  schema,
  defaults: {
    checkpoint: 'best',
    batchSize: 64,
    strict: false,
    backend: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: adaptCommand,
});

async function adaptCommand(
  settings: z.infer<typeof schema>,
  { io, output }: Context,
  args: readonly string[],
): Promise<void> {
  const before = resolve(io.cwd, args[0] ?? '.');
  const config = await readRunConfig(before);
  if (config.classifier && config.classifier.kind !== 'logistic')
    throw new UsageError(`${before} holds a classifier of kind ${config.classifier.kind} on features as they were; adapt a run of thaw train, or of --classifier logistic.`); // prettier-ignore
  if (config.network.thaw === 'none' && config.network.batchNorm !== 'train')
    output.warn(
      "this run's batch-norms kept ImageNet's statistics while its head trained: with others the head may do worse, and did where it was measured. Evaluate both.",
    );
  const data = resolve(io.cwd, settings.data);
  const dataset = await openUnlabelled(data);
  const homes = await findHomes(io);
  const folder =
    settings.output === undefined
      ? await makeRunFolder(join(io.cwd, 'runs'), runName(new Date(), dataSlug(data), 'adapted'))
      : await claimRunFolder(resolve(io.cwd, settings.output));
  const interrupt = listenForInterrupt();
  const reporter = createReporter(output);
  let backend: Awaited<ReturnType<typeof openForCommand>> | undefined;
  try {
    backend = await openForCommand(settings, { io, output });
    const { weights } = await weightsOfRun(config, settings.weightsFile, homes, byteProgress(output));
    const variables = await readRunVariables(before, config, weights, settings.checkpoint, (note) => output.warn(note));
    // Every batch-norm on its batch's statistics, and nothing kept of those before.
    const network = { ...config.network, batchNorm: 'train' as const };
    const classifier = buildClassifier(weights, { ...network, batchNormMomentum: 0 }, config.data.classes.length);
    try {
      classifier.restore(new Map([...(await classifier.state()), ...variables]));
      const { imageSize } = network;
      const { preprocessing } = classifier.network.variant;
      let skipped = 0;
      const onSkip = (image: SkippedImage): void => {
        skipped++;
        output.skipped(image);
      };
      const source = new DataSource(dataset, undefined, { imageSize, preprocessing, strict: settings.strict, onSkip });
      const start = performance.now();
      const images = await adaptBatchNorm(classifier.network, source, {
        batchSize: settings.batchSize,
        onProgress: (done, total) => {
          const imagesPerSecond = (1000 * done) / (performance.now() - start);
          reporter.show({
            label: 'images',
            done,
            total,
            imagesPerSecond,
            secondsLeft: (total - done) / imagesPerSecond,
          });
        },
      });
      reporter.clear();
      await new FileCheckpoints(folder).saveBest({
        variables: await classifier.state(),
        optimizer: new Map(),
        progress: NOT_BEGUN,
      });
      const adapted = { run: before, data, images };
      await writeJson(runFile.config(folder), { ...config, command: io.commandLine, created: new Date().toISOString(), network, adapted }); // prettier-ignore
      output.event('result', { folder, ...adapted, skipped });
      output.result(
        `batch-norms of ${basename(before)} on ${plural(images, 'image')} of ${settings.data}, in ${duration((performance.now() - start) / 1000)}${skipped > 0 ? `; ${count(skipped)} unreadable` : ''}\nrun     ${folder}`,
      );
    } finally {
      classifier.dispose();
    }
  } finally {
    reporter.clear();
    interrupt.stop();
    backend?.close();
    await dropIfEmpty(folder);
  }
}
