// thaw predict: names what is on image files, with a run's network or with the ImageNet classifier.
import { relative, resolve } from 'node:path';
import { openImageList } from '@thaw/data/node';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import { createReporter } from '../progress/reporter.ts';
import { openBackend } from '../session/backend.ts';
import { findHomes } from '../session/home.ts';
import { classOfFile, isSameClass, type ImageNetClass } from '../session/imagenet.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { predictImages, type Ranked } from '../session/predict.ts';
import { checkModelSettings, openImageModel } from '../session/model.ts';
import { percent, plural } from '../text/format.ts';
import { table } from '../text/table.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    run: true,
    checkpoint: true,
    weights: true,
    weightsFile: true,
    imageSize: true,
    precision: true,
    batchSize: true,
    strict: true,
    topK: true,
    csv: true,
    backend: true,
    adapter: true,
    trunk: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  }) // prettier-ignore
  .partial({
    run: true,
    weights: true,
    weightsFile: true,
    imageSize: true,
    precision: true,
    adapter: true,
    config: true,
  });

type PredictSettings = z.infer<typeof schema>;

export const predict = defineCommand({
  name: 'predict',
  summary: 'classify image files',
  description:
    'Names what is on images: with --run by a network that thaw train made, else into the 1000 classes of ImageNet.\n' +
    'Folders are searched to any depth.',
  argument: { name: '<files...>', description: 'image files or folders' },
  options: [
    ['imageSize', { default: "the run's, 224 for ImageNet" }],
    'strict', 'run',
    ['checkpoint', { default: 'best' }],
    ['weights', { description: 'ImageNet weights: keras, torchvision or tf-official', default: 'what is in THAW_HOME, else keras' }],
    'weightsFile',
    ['precision', { default: "the run's, else float32" }],
    ['batchSize', { default: '8' }],
    ['topK', { default: '3' }],
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    'csv', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw predict --weights tf-official holiday/*.jpg', "ImageNet's classes, no training needed"],
    ['thaw predict --run runs/2026-11-24-101500-photos-custom new/', 'with what you trained'],
    ['thaw predict --csv --top-k 1 new/ > classes.csv', 'for a spreadsheet'],
  ],
  schema,
  defaults: {
    checkpoint: 'best',
    batchSize: 8,
    strict: false,
    topK: 3,
    csv: false,
    backend: 'auto',
    trunk: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: predictCommand,
});

async function predictCommand(
  settings: PredictSettings,
  { io, output }: Context,
  args: readonly string[],
): Promise<void> {
  checkModelSettings(settings);
  if (settings.csv && settings.json) throw new UsageError('--csv: choose --csv or --json, not both.');
  const dataset = await openImageList(args.map((path) => resolve(io.cwd, path)));
  const homes = await findHomes(io);
  const interrupt = listenForInterrupt();
  const backend = await openBackend({
    io,
    onNote: (note) => output.say(note),
    ...settings,
    onFallback: (reason) => output.warn(`${reason} Going on with WebAssembly.`),
  });
  const trunk = new Trunk({ settings, backend, output });
  const reporter = createReporter(output);
  try {
    const model = await openImageModel(settings, io.cwd, homes, output);
    const start = performance.now();
    let skipped = 0;
    const runner = trunk.runner(model.features);
    const ranked = await predictImages(
      dataset,
      { trunk: runner, scorer: model.scorer },
      {
        imageSize: model.imageSize,
        preprocessing: model.features.network.variant.preprocessing,
        resizeShorter: model.resizeShorter,
        batchSize: settings.batchSize,
        topK: settings.topK,
        strict: settings.strict,
        onSkip: ({ path, reason }) => {
          skipped++;
          output.warn(`skipped ${path}: ${reason}`);
        },
        onProgress: (done) => {
          const imagesPerSecond = (1000 * done) / (performance.now() - start);
          if (!settings.csv)
            reporter.show({
              label: 'images',
              done,
              total: dataset.length,
              imagesPerSecond,
              secondsLeft: (dataset.length - done) / imagesPerSecond,
            });
        },
      },
    );
    runner.dispose();
    reporter.clear();
    const rows = [...ranked].map(([index, classes]) => ({ file: dataset.describe(index), classes }));
    const name = ({ index }: Ranked): string => model.classes[index]?.name ?? `class ${index}`;
    for (const { file, classes } of rows)
      output.event('prediction', {
        file,
        classes: classes.map((one) => ({ class: name(one), index: one.index, probability: one.probability })),
      });
    const shown = (file: string): string => shorter(relative(io.cwd, file), file);
    if (settings.csv) {
      output.result(
        [
          'file,rank,class,probability',
          ...rows.flatMap(({ file, classes }) =>
            classes.map((one, rank) =>
              [shown(file), String(rank + 1), name(one), one.probability.toFixed(6)].map(csvCell).join(','),
            ),
          ),
        ].join('\n'),
      );
    } else if (!output.json) {
      output.result(
        table(
          [{ title: 'file' }, { title: 'class' }, { title: '', align: 'right' }],
          rows.flatMap(({ file, classes }) =>
            classes.map((one, rank) => [
              rank === 0 ? shown(file) : '',
              rank === 0 ? output.colors.bold(name(one)) : name(one),
              percent(one.probability),
            ]),
          ),
          output.colors,
        ),
      );
    }
    const verdict = judge(rows, model.classes);
    if (verdict) output.event('by-file-name', verdict);
    if (verdict && !settings.csv && !output.json)
      output.result(`\n${verdict.right} of ${verdict.named} right by file name`);
    if (skipped > 0 && !settings.csv) output.result(`${plural(skipped, 'unreadable image')} skipped`);
  } finally {
    reporter.clear();
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}

/** How many top classes are what the file's name says; undefined where no name says anything. */
function judge(
  rows: readonly { file: string; classes: readonly Ranked[] }[],
  classes: readonly ImageNetClass[],
): { right: number; named: number } | undefined {
  let right = 0;
  let named = 0;
  for (const { file, classes: ranked } of rows) {
    const wanted = classOfFile(file);
    if (!wanted) continue;
    named++;
    const got = classes[ranked[0]?.index ?? -1];
    if (got && isSameClass(got, wanted)) right++;
  }
  return named === 0 ? undefined : { right, named };
}

const shorter = (a: string, b: string): string => (a !== '' && a.length < b.length ? a : b);
const csvCell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
