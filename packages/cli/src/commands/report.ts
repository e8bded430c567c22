// thaw report: a run's report made anew, or one page that compares several runs.
import { basename, join, relative, resolve } from 'node:path';
import type { z } from 'zod';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { environmentOf, methodReport } from '../report/build.ts';
import { compareHtml, type ComparedRun } from '../report/compare.ts';
import { chartLibrary } from '../report/chart-library.ts';
import { writeReport } from '../report/write.ts';
import { readTrainedRun, runFile, writeText } from '../runs/folder.ts';
import { finishedSummary, readRunHistory, readRunSummary, scoresOf } from '../runs/summary.ts';
import { openForCommand } from '../session/backend.ts';
import { openRunData } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { scoreRun } from '../session/score.ts';
import { comparisonText } from '../text/comparison.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    data: true,
    weightsFile: true,
    batchSize: true,
    cacheFeatures: true,
    output: true,
    backend: true,
    adapter: true,
    trunk: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  })
  .partial({ data: true, weightsFile: true, output: true, adapter: true, config: true });

type ReportSettings = z.infer<typeof schema>;

export const report = defineCommand({
  name: 'report',
  summary: "make a run's report anew, or compare runs on one page",
  description:
    'Of one run: evaluates it again on the images it was measured on and writes its report. Of several: a page with their curves\n' +
    'over each other, their scores, and the settings in which they differ; that needs nothing but the run folders.',
  argument: { name: '<runs...>', description: 'run folders' },
  options: [
    ['data', { description: 'where the data set is now, if it has moved (one run)', default: 'where it was' }],
    'weightsFile',
    ['batchSize', { default: '32' }],
    'cacheFeatures',
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    ['output', { description: 'the page', default: "the run's report.html; of several runs comparison.html" }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    [
      'thaw report runs/2026-11-24-101500-photos-custom',
      'after an update of Thaw, or with the images back in their place',
    ],
    ['thaw report runs/*', 'which one is the best, and what was different about it'],
  ],
  schema,
  defaults: {
    batchSize: 32,
    cacheFeatures: true,
    backend: 'auto',
    trunk: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: async (settings, context, args) => {
    const folders = [...new Set(args.map((path) => resolve(context.io.cwd, path)))];
    const [only] = folders;
    await (only !== undefined && folders.length === 1
      ? rebuild(only, settings, context)
      : compare(folders, settings, context));
  },
});

async function rebuild(folder: string, settings: ReportSettings, { io, output }: Context): Promise<void> {
  const config = await readTrainedRun(folder);
  const [before, history] = await Promise.all([finishedSummary(folder), readRunHistory(folder)]);
  const homes = await findHomes(io);
  const interrupt = listenForInterrupt();
  const place = { cwd: io.cwd, homes, progress: byteProgress(output), signal: interrupt.signal };
  const { seed } = config.network;
  const data = await openRunData(
    { ...config.settings, data: settings.data ?? config.settings.data ?? '', seed },
    place,
  );
  const backend = await openForCommand(settings, { io, output });
  const trunk = new Trunk({ settings, backend, output });
  try {
    const { evaluation, examples } = await scoreRun({
      folder,
      part: data.test ?? data.validation ?? data.train,
      settings: { ...settings, checkpoint: 'best', strict: false },
      homes,
      trunk,
      output,
      interrupt,
      withExamples: true,
    });
    const summary = { ...before, ...scoresOf(evaluation, config.data.classes) };
    const path = settings.output === undefined ? runFile.report(folder) : resolve(io.cwd, settings.output);
    await writeReport(path, {
      title: `${config.data.name}, ${config.preset}`,
      notes: [],
      environment: environmentOf(config),
      methods: [methodReport({ name: config.preset, config, summary, history, examples })],
    });
    const { accuracy, macroF1, loss, images } = summary;
    output.event('result', { report: path, runs: [{ folder, accuracy, macroF1, loss, images }] });
    output.result(`report  ${path}`);
  } finally {
    interrupt.stop();
    await trunk.close();
    backend.close();
  }
}

async function compare(folders: readonly string[], settings: ReportSettings, { io, output }: Context): Promise<void> {
  const names = folders.map((folder) => basename(folder));
  const isOnce = (name: string): boolean => names.filter((one) => one === name).length === 1;
  const runs = await Promise.all(
    folders.map(async (folder): Promise<ComparedRun> => {
      const name = basename(folder);
      const config = await readTrainedRun(folder);
      const [summary, history] = await Promise.all([readRunSummary(folder), readRunHistory(folder)]);
      return { name: isOnce(name) ? name : relative(io.cwd, folder), config, summary, history };
    }),
  );
  const path = resolve(io.cwd, settings.output ?? join('.', 'comparison.html'));
  await writeText(path, compareHtml(runs, await chartLibrary()));
  output.event('result', {
    report: path,
    runs: runs.map(({ summary }, i) => ({
      folder: folders[i],
      accuracy: summary?.accuracy,
      macroF1: summary?.macroF1,
      loss: summary?.loss,
      images: summary?.images,
    })),
  });
  output.result(comparisonText(runs, output.colors));
  output.result(`\nreport  ${path}`);
}
