// thaw predict: names what is on images, with a run's network or with the ImageNet classifier, as they come.
import { open } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import {
  imageStream,
  isAddress,
  listedImages,
  namedImages,
  STDIN,
  type NamedBatch,
  type NamedImage,
} from '@thaw/data/node';
import { z } from 'zod';
import { CommandError, UsageError } from '../errors.ts';
import { IMAGE_MODEL, IMAGE_MODEL_OPTIONAL, imageModelOptions } from '../options/image-model.ts';
import { ANSWER_FORMATS, settings as allSettings, type AnswerFormat } from '../options/settings.ts';
import { Output } from '../output.ts';
import { createReporter } from '../progress/reporter.ts';
import { predictionsOfRanks } from '../ranks/predict.ts';
import type { Ranks } from '../ranks/ranks.ts';
import { openForCommand } from '../session/backend.ts';
import { findHomes } from '../session/home.ts';
import { classOfFile, isSameClass } from '../session/imagenet.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { checkModelSettings, openImageModel, type ImageModel } from '../session/model.ts';
import { predictions, type Prediction } from '../session/predict.ts';
import { answerWriter, type AnswerWriter } from '../text/answers.ts';
import { plural } from '../text/format.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    ...IMAGE_MODEL,
    batchSize: true,
    strict: true,
    topK: true,
    csv: true,
    fromFile: true,
    backend: true,
    adapter: true,
    trunk: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  })
  .extend({ format: z.enum(ANSWER_FORMATS) })
  .partial({ ...IMAGE_MODEL_OPTIONAL, format: true, fromFile: true, adapter: true, config: true });

type PredictSettings = z.infer<typeof schema>;

export const predict = defineCommand({
  name: 'predict',
  summary: 'classify images: files, folders, addresses, standard input',
  description:
    'Names what is on images: with --run by a network that thaw train made, else into the 1000 classes of ImageNet.\n' +
    'Answers come in the order of the images, the first while later ones are still to be read.',
  argument: {
    name: '[images...]',
    description:
      'files, folders (searched to any depth), tar shards, patterns such as "photos/*.jpg", http and https addresses, or - for one image on standard input',
  },
  options: [
    'strict',
    ...imageModelOptions,
    ['batchSize', { default: '8' }],
    ['topK', { default: '3' }],
    ['fromFile', { description: 'also the images that this file names, one a line; - reads the list from standard input' }],
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    ['format', { description: 'table, csv, json (one array) or jsonl (an object a line)', default: 'table' }],
    'csv', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw predict --weights tf-official holiday/*.jpg', "ImageNet's classes, no training needed"],
    ['thaw predict --run runs/2026-11-24-101500-photos-custom new/', 'with what you trained'],
    ['thaw predict --csv --top-k 1 new/ > classes.csv', 'for a spreadsheet'],
    ['curl -s https://example.org/cat.jpg | thaw predict -', 'an image that is piped in'],
    ["find /archive -name '*.jpg' | thaw predict --from-file - --format jsonl", 'a list as long as you like'],
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
  ranks: 'share',
  run: predictCommand,
});

async function predictCommand(settings: PredictSettings, context: Context, args: readonly string[]): Promise<void> {
  const { io, ranks } = context;
  const format = await ranks.together(() => {
    checkModelSettings(settings);
    checkInputs(settings, args, ranks);
    return formatOf(settings);
  });
  // What another program reads is the answers alone.
  const output = format === 'table' ? context.output : new Output(io, { quiet: settings.quiet, isPiped: true });
  // Rank 0 names the images, for all.
  const { images, known } = await ranks.onFirst(() => imagesOf(settings, args, context), NONE);
  const homes = await findHomes(io);
  const interrupt = listenForInterrupt();
  const backend = await ranks.together(() => openForCommand(settings, { io, output }));
  const trunk = new Trunk({ settings, backend, output, ranks: ranks.size });
  const reporter = createReporter(output);
  try {
    const model = await ranks.fetching((download) => openImageModel(settings, io.cwd, homes, output, download));
    if (ranks.size > 1) await ranks.agree({ 'the hash of the network': await model.fact() });
    const runner = trunk.runner(model.features);
    let skipped = 0;
    const read = (list: Iterable<NamedImage> | AsyncIterable<NamedImage>): AsyncGenerator<NamedBatch> =>
      imageStream(list, {
        imageSize: model.imageSize,
        preprocessing: model.features.network.variant.preprocessing,
        resizeShorter: model.resizeShorter,
        batchSize: settings.batchSize,
        strict: settings.strict,
        onSkip: (image) => {
          skipped++;
          reporter.clear();
          output.skipped(image);
        },
      });
    const expected = await ranks.fromFirst(() => known.length || settings.batchSize);
    const answer = (batches: AsyncIterable<NamedBatch>): AsyncGenerator<Prediction> =>
      predictions(batches, { trunk: runner, scorer: model.scorer }, { ...settings, images: expected });
    const shown = (file: string): string => (isAddress(file) ? file : shorter(relative(io.cwd, file), file));
    const longest = (names: readonly string[]): number => Math.max(8, ...names.map(({ length }) => length));
    const classWidth = Math.min(30, Math.max(8, output.width - 23), longest(model.classes.map(({ name }) => name)));
    const room = Math.max(12, output.width - classWidth - 11);
    const fileWidth = known.length > 0 ? Math.min(room, longest(known.map(({ name }) => shown(name)))) : 24;
    const writer = output.json ? undefined : answerWriter(format, { fileWidth, classWidth, colors: output.colors });
    if (ranks.size > 1) await runner.prepare(settings.batchSize, Math.ceil(expected / ranks.size));
    const answers = ranks.size > 1
      ? predictionsOfRanks(images, { ranks, batchSize: settings.batchSize, cwd: io.cwd, read, answer })
      : answer(read(images)); // prettier-ignore
    const done = await write(answers, { writer, model, output, shown, reporter, total: known.length, isOpen: settings.fromFile !== undefined }); // prettier-ignore
    runner.dispose();
    skipped = (await ranks.gather(skipped)).reduce((sum, one) => sum + one, 0);
    if ((await ranks.fromFirst(() => done.answers)) === 0)
      throw ranks.share(new CommandError('Not one of the images could be read.'));
    if (done.named > 0) {
      output.event('by-file-name', { right: done.right, named: done.named });
      if (format === 'table' && !output.json) output.result(`\n${done.right} of ${done.named} right by file name`);
    }
    if (skipped > 0) output.say(`${plural(skipped, 'unreadable image')} skipped`);
  } finally {
    reporter.clear();
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}

function formatOf({ format, csv, json }: PredictSettings): AnswerFormat {
  const other = csv ? '--csv' : `--format ${format ?? ''}`;
  if (json && (csv || format !== undefined))
    throw new UsageError(`${csv ? '--csv' : '--format'}: choose ${other} or --json, not both.`);
  if (csv && format !== undefined && format !== 'csv')
    throw new UsageError(`--csv: choose --csv or --format ${format}, not both.`);
  return csv ? 'csv' : (format ?? 'table');
}

/** No images: rank 0 has them. */
const NONE: { images: AsyncIterable<NamedImage>; known: readonly NamedImage[] } = {
  images: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) },
  known: [],
};

/** @throws UsageError where there are no images, or standard input cannot be what it is to be */
function checkInputs({ fromFile }: PredictSettings, args: readonly string[], { size }: Ranks): void {
  if (args.length === 0 && fromFile === undefined)
    throw new UsageError('images are missing: name files, folders or addresses, - for standard input, or --from-file <list>.'); // prettier-ignore
  if (fromFile === STDIN && args.includes(STDIN))
    throw new UsageError('--from-file -: standard input is one image (-) or a list of images, not both.');
  if (size > 1 && args.includes(STDIN))
    throw new UsageError(`-: standard input is one image, and ${size} ranks share many; start thaw predict by itself.`);
}

/** The images, and those of them that are known before the first is read. */
async function imagesOf(
  { fromFile }: PredictSettings,
  args: readonly string[],
  { io, output }: Context,
): Promise<{ images: AsyncIterable<NamedImage>; known: readonly NamedImage[] }> {
  const place = { cwd: io.cwd, stdin: io.stdin };
  const { images: known, notes } = args.length > 0 ? await namedImages(args, place) : { images: [], notes: [] };
  for (const note of notes) output.warn(note);
  const list =
    fromFile === undefined
      ? []
      : fromFile === STDIN
        ? (io.stdin ?? [])
        : (await open(resolve(io.cwd, fromFile))).createReadStream();
  async function* images(): AsyncGenerator<NamedImage, void, undefined> {
    yield* known;
    yield* listedImages(list, place);
  }
  return { images: images(), known };
}

interface Writing {
  /** Undefined where events say it all. */
  readonly writer: AnswerWriter | undefined;
  readonly model: ImageModel;
  readonly output: Output;
  readonly shown: (file: string) => string;
  readonly reporter: ReturnType<typeof createReporter>;
  /** Images that are known of. */
  readonly total: number;
  /** Whether more may come. */
  readonly isOpen: boolean;
}

/** Writes each answer when it comes; counts them, and those that the file's name confirms. */
async function write(
  answers: AsyncIterable<Prediction>,
  { writer, model, output, shown, reporter, total, isOpen }: Writing,
): Promise<{ answers: number; right: number; named: number }> {
  const count = { answers: 0, right: 0, named: 0 };
  const start = performance.now();
  const put = (text: string | undefined): void => {
    if (text === undefined) return;
    reporter.clear();
    output.answer(text);
  };
  put(writer?.head);
  for await (const { file, classes: ranked } of answers) {
    const classes = ranked.map(({ index, probability }) => ({ class: model.classes[index]?.name ?? `class ${index}`, index, probability })); // prettier-ignore
    output.event('prediction', { file, classes });
    put(writer?.line({ file: shown(file), classes }));
    const wanted = isAddress(file) || file === STDIN ? undefined : classOfFile(file);
    const got = model.classes[ranked[0]?.index ?? -1];
    count.answers++;
    if (wanted) count.named++;
    if (wanted && got && isSameClass(got, wanted)) count.right++;
    if (isOpen || !output.isTerminal || count.answers === total) continue;
    const imagesPerSecond = (1000 * count.answers) / (performance.now() - start);
    reporter.show({ label: 'images', done: count.answers, total, imagesPerSecond, secondsLeft: (total - count.answers) / imagesPerSecond }); // prettier-ignore
  }
  put(writer?.tail);
  return count;
}

const shorter = (a: string, b: string): string => (a !== '' && a.length < b.length ? a : b);
