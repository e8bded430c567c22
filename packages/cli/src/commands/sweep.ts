// thaw sweep: many runs of thaw train with settings of a grid, or drawn at random, ranked by validation accuracy.
import { basename, join, relative, resolve } from 'node:path';
import { gridPoints, randomPoints } from '@thaw/model';
import { settings as allSettings } from '../options/settings.ts';
import { budgetSeconds } from '../choice/choose.ts';
import { CommandError, InterruptedError, UsageError } from '../errors.ts';
import type { Io } from '../io.ts';
import type { Layer } from '../options/resolve.ts';
import { createReporter } from '../progress/reporter.ts';
import { chartLibrary } from '../report/chart-library.ts';
import { claimRunFolder, dropIfEmpty, exists, makeRunFolder, runName, writeText } from '../runs/folder.ts';
import { dataSlug } from '../session/data.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { parseAxes } from '../sweep/axes.ts';
import { sweepPage } from '../sweep/page.ts';
import { ranked, readState, sweepFile, writeState, type SweepState } from '../sweep/state.ts';
import { COLUMNS, pointText, tableRows } from '../sweep/table.ts';
import { runTrial, trialFlags } from '../sweep/trial.ts';
import { duration, percent, plural } from '../text/format.ts';
import { table } from '../text/table.ts';
import { versions } from '../versions.ts';
import { defineCommand, type Context } from './command.ts';
import { train } from './train.ts';

/** A sweep of more trials is a typing error. */
const MOST_TRIALS = 10_000;

/** What is the sweep's own and not its trials'. */
const OWN = ['grid', 'random', 'output', 'resume', 'timeBudget', 'json', 'quiet'];

const schema = train.spec.schema
  .extend({ grid: allSettings.shape.grid, random: allSettings.shape.random })
  .partial({ data: true, grid: true, random: true });

export const sweep = defineCommand({
  name: 'sweep',
  summary: 'train with many settings and rank them',
  description:
    'Runs thaw train for every point of a grid, or for points drawn at random, each in a run folder of its own under one folder,\n' +
    'and ranks them by validation accuracy: a table, sweep.json and sweep.html. Every other option is passed to thaw train.\n' +
    'A trial that fails or diverges is listed as failed; Ctrl-C keeps what is done, and --resume goes on.',
  options: [
    'grid', 'random',
    ...train.spec.options.filter((use) => !['timeBudget', 'resume', 'output'].includes(typeof use === 'string' ? use : use[0])),
    ['timeBudget', { description: 'about how long the whole may take: every trial has its share, and none begins that would not fit' }],
    ['resume', { description: 'go on with an interrupted sweep, in its own folder' }],
    ['output', { flags: '--run-dir, --output <folder>', description: 'the folder of the sweep', default: 'runs/<date>-<data>-sweep' }],
  ], // prettier-ignore
  examples: [
    ['thaw sweep --data photos/ --grid learning-rate=1e-2,1e-3,1e-4 --grid dropout=0,0.2', 'six runs'],
    [
      'thaw sweep --data photos/ --random 20 --grid learning-rate=1e-5..1e-2 --grid weight-decay=0,0.01',
      'twenty drawn',
    ],
    ['thaw sweep --resume runs/2026-11-24-101500-photos-sweep', 'go on where Ctrl-C stopped'],
  ],
  schema,
  defaults: train.spec.defaults,
  run: (settings, context) => sweepCommand(settings, context),
});

interface SweepSettings {
  readonly data?: string | undefined;
  readonly grid?: readonly string[] | undefined;
  readonly random?: number | undefined;
  readonly seed: number;
  readonly output?: string | undefined;
  readonly resume?: string | undefined;
  readonly timeBudget?: string | undefined;
  readonly preset?: string | undefined;
}

async function sweepCommand(settings: SweepSettings, { io, output, typed }: Context): Promise<void> {
  const begun = performance.now();
  const { folder, state } =
    settings.resume === undefined
      ? await begin(settings, typed, io)
      : await goOn(resolve(io.cwd, settings.resume), typed);
  const budget = settings.timeBudget === undefined ? Infinity : budgetSeconds(settings.timeBudget);
  const passed = (): number => (performance.now() - begun) / 1000;
  const reporter = createReporter(output);
  const trials = [...state.trials];
  const save = async (): Promise<SweepState> => {
    const best = ranked(trials)[0]?.folder;
    const now = { ...state, trials, ...(best !== undefined && { best }) };
    await writeState(folder, now);
    await writeText(join(folder, 'sweep.html'), sweepPage(now, await chartLibrary()));
    return now;
  };
  await save();
  output.event('sweep', { folder, trials: trials.length });
  output.say(`${plural(trials.length, 'trial')} in ${folder}`);
  let longest = 0;
  // A trial listens for itself; this one hears what comes between two of them.
  const interrupt = listenForInterrupt(() => undefined);
  try {
    for (const [i, trial] of trials.entries()) {
      if (trial.status === 'done' || trial.status === 'failed') continue;
      if (longest > 0 && passed() + longest > budget) {
        output.say(
          `No time for more: the longest trial took ${duration(longest)}. Go on with: thaw sweep --resume ${folder}`,
        );
        break;
      }
      const label = `trial ${i + 1}/${trials.length}`;
      try {
        if (interrupt.signal.aborted) throw new InterruptedError('Interrupted.', interrupt.exitCode);
        const onEpoch = (record: Layer): void => output.event('epoch', { trial: trial.folder, ...record });
        const place = { folder, io: { ...io, cwd: state.cwd }, reporter, label, onEpoch };
        const ended = await runTrial(trial, trialFlags(state.flags, trial.point), place);
        trials[i] = ended;
        longest = Math.max(longest, ended.seconds ?? 0);
        await save();
        output.event('trial', ended);
        const came = ended.status === 'failed' ? `failed: ${ended.reason ?? ''}` : `validation accuracy ${percent(ended.validationAccuracy ?? 0, 2)}`; // prettier-ignore
        output.say(`${label}  ${pointText(trial.point)}  ${came}`);
      } catch (error) {
        if (!(error instanceof InterruptedError)) throw error;
        trials[i] = { ...trial, status: 'cut' };
        await save();
        const done = trials.filter(({ status }) => status === 'done' || status === 'failed').length;
        throw new InterruptedError(`Interrupted; ${done} of ${trials.length} trials are done. Go on with: thaw sweep --resume ${folder}`, error.exitCode); // prettier-ignore
      }
    }
  } finally {
    interrupt.stop();
  }
  const end = await save();
  output.event('result', { folder, best: end.best, ranking: ranked(trials), failed: trials.filter(({ status }) => status === 'failed'), page: join(folder, 'sweep.html') }); // prettier-ignore
  const columns = COLUMNS.map((title, i) => ({ title, align: i > 2 ? ('right' as const) : ('left' as const) }));
  output.result(`\n${table(columns, tableRows(trials), output.colors)}\n`);
  if (end.best === undefined) throw new CommandError(`Not one of ${plural(trials.length, 'trial')} ended well; ${sweepFile(folder)} says why.`); // prettier-ignore
  output.result(`best    ${join(folder, end.best)}\npage    ${relative(io.cwd, join(folder, 'sweep.html'))}`);
}

/** Settles what will be tried, checks every point, and makes the folder. @throws UsageError */
async function begin(settings: SweepSettings, typed: Layer, io: Io): Promise<{ folder: string; state: SweepState }> {
  const { data, grid, random, seed, timeBudget, preset } = settings;
  if (data === undefined) throw new UsageError('--data is missing: what to train on.');
  if (grid === undefined)
    throw new UsageError('--grid is missing: what to try, such as --grid learning-rate=1e-3,1e-4.');
  const axes = parseAxes(grid, Object.keys(train.spec.schema.shape), random !== undefined);
  const taken = axes.find(({ name }) => typed[name] !== undefined && name !== 'seed');
  if (taken)
    throw new UsageError(`--grid: ${taken.name} is given as an option of its own too; leave one of the two out.`);
  const count = axes.reduce((product, axis) => product * ('values' in axis ? axis.values.length : 1), 1);
  if (random === undefined && count > MOST_TRIALS)
    throw new UsageError(`--grid: ${count} trials are too many; use --random <n>.`);
  const points = random === undefined ? gridPoints(axes) : randomPoints(axes, random, seed);
  const common = Object.fromEntries(Object.entries(typed).filter(([name]) => !OWN.includes(name)));
  // What is left open is chosen for the time a trial has; a preset leaves nothing open.
  const share =
    timeBudget === undefined ? undefined : Math.max(10, Math.floor(budgetSeconds(timeBudget) / points.length));
  const flags = { ...common, ...(share !== undefined && preset === undefined && { timeBudget: `${share}s` }) };
  for (const point of points) await train.check(trialFlags(flags, point), io);
  const folder =
    settings.output === undefined
      ? await makeRunFolder(join(io.cwd, 'runs'), runName(new Date(), dataSlug(data), 'sweep'))
      : await claimRunFolder(resolve(io.cwd, settings.output));
  if (await exists(sweepFile(folder)))
    throw new UsageError(
      `--output: ${folder} holds a sweep already; go on with it by --resume ${basename(folder)}, or name another folder.`,
    );
  const digits = String(points.length).length;
  const state: SweepState = {
    thaw: versions()['thaw'] ?? '',
    created: new Date().toISOString(),
    command: io.commandLine,
    cwd: io.cwd,
    grid: [...grid],
    flags,
    trials: points.map((point, i) => ({
      folder: `trial-${String(i + 1).padStart(digits, '0')}`,
      point,
      status: 'waiting',
    })),
  };
  await writeState(folder, state).catch(async (error: unknown) => {
    await dropIfEmpty(folder);
    throw error;
  });
  return { folder, state };
}

/** @throws UsageError for settings that the sweep has already */
async function goOn(folder: string, typed: Layer): Promise<{ folder: string; state: SweepState }> {
  const extra = Object.keys(typed).find((name) => !['resume', 'timeBudget', 'json', 'quiet', 'verbose'].includes(name));
  if (extra !== undefined)
    throw new UsageError(`--resume: a sweep keeps its settings; leave ${extra} out, or begin a new one.`);
  return { folder, state: await readState(folder) };
}
