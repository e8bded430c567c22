// thaw evaluate: a run on a data set: accuracy, macro-F1, scores by class, confusion matrix.
import { basename, resolve } from 'node:path';
import type { z } from 'zod';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { environmentOf, methodReport } from '../report/build.ts';
import { writeReport } from '../report/write.ts';
import { openForCommand } from '../session/backend.ts';
import { limited, openPart } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { readRunConfig, readTrainedRun } from '../runs/folder.ts';
import { finishedSummary, readRunHistory, scoresOf } from '../runs/summary.ts';
import { scoreRun } from '../session/score.ts';
import { evaluationText } from '../text/evaluation.ts';
import { plural } from '../text/format.ts';
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
    html: true,
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
    html: true,
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
    ['html', { description: 'write a report of these images, as thaw train writes one' }],
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
  ranks: 'share',
  run: evaluateCommand,
});

async function evaluateCommand(
  settings: z.infer<typeof schema>,
  { io, output, ranks }: Context,
  args: readonly string[],
): Promise<void> {
  const folder = resolve(io.cwd, args[0] ?? '.');
  const before = await ranks.together(() => (settings.html === undefined ? readRunConfig : readTrainedRun)(folder));
  const page = settings.html === undefined ? undefined : resolve(io.cwd, settings.html);
  const summary = page === undefined ? undefined : await ranks.fromFirst(() => finishedSummary(folder));
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const interrupt = listenForInterrupt();
  const data = settings.data ?? before.settings.data ?? '';
  const { dataset, notes } = await ranks.fetching((download) =>
    openPart(data, settings.split, { cwd: io.cwd, homes, progress, download }, before.data.classes),
  );
  for (const note of notes) output.warn(note);
  const backend = await ranks.together(() => openForCommand(settings, { io, output }));
  const trunk = new Trunk({ settings, backend, output, ranks: ranks.size });
  try {
    const part = { dataset, indices: limited(dataset, settings.limitTest, settings.seed) };
    const scored = await scoreRun({
      folder,
      part,
      settings,
      homes,
      trunk,
      output,
      interrupt,
      ranks,
      withExamples: page !== undefined,
    });
    if (!ranks.isFirst) return;
    const { evaluation, examples, skipped, use } = scored;
    const { accuracy, macroF1, loss, confusion, perClass, calibration } = evaluation;
    const { classes } = before.data;
    if (page !== undefined && summary) {
      const name = basename(folder);
      const history = await readRunHistory(folder);
      const scores = { ...summary, ...scoresOf(evaluation, classes), evaluatedOn: dataset.name };
      const asked = { command: io.commandLine, created: new Date().toISOString() };
      await writeReport(page, {
        title: `${name} on ${dataset.name}`,
        notes: [`Scores and images are of ${dataset.name}; the curves are of the training.`],
        environment: { ...environmentOf(before), ...asked, device: backend.info },
        methods: [methodReport({ name, config: before, summary: scores, history, examples })],
      });
    }
    output.event('result', {
      run: folder,
      data: dataset.name,
      images: evaluation.labels.length,
      skipped,
      accuracy,
      macroF1,
      loss,
      confusion,
      calibrationError: calibration.expectedError,
      trunk: use,
      classes: classes.map((name, i) => ({ name, ...perClass[i] })),
      ...(page !== undefined && { report: page }),
    });
    output.result(
      evaluationText(evaluation, classes, {
        width: output.width,
        colors: output.colors,
        title: `images of ${dataset.name}, ${settings.checkpoint} checkpoint`,
      }),
    );
    if (skipped > 0) output.result(`${plural(skipped, 'unreadable image')} skipped`);
    if (page !== undefined) output.result(`report  ${page}`);
  } finally {
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}
