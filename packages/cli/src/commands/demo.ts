// thaw demo: measures the machine, then runs both methods on as much of CIFAR-10 as it gets through in about three minutes.
import { join, resolve } from 'node:path';
import type { NamedTensors } from '@thaw/model';
import { FileCheckpoints } from '@thaw/model/node';
import type { z } from 'zod';
import { CommandError, explain, InterruptedError } from '../errors.ts';
import { PRESETS, TRAIN_DEFAULTS, type ArticleSettings } from '../options/presets.ts';
import { settings as allSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { byteProgress, type ByteProgress } from '../progress/bytes.ts';
import { environmentOf, methodReport } from '../report/build.ts';
import type { MethodReport } from '../report/types.ts';
import { writeReport } from '../report/write.ts';
import type { RunConfig } from '../runs/config.ts';
import { claimRunFolder, makeRunFolder, runFile, runName } from '../runs/folder.ts';
import { driverAdvice, openBackend, type OpenBackend } from '../session/backend.ts';
import { openRunData, type RunData } from '../session/data.ts';
import { planDemo, type DemoPlan } from '../session/demo-plan.ts';
import { findHomes, type Homes } from '../session/home.ts';
import { listenForInterrupt, type Interrupt } from '../session/interrupt.ts';
import { layerGroupTable } from '../session/layers.ts';
import { onNewDevices, type Devices } from '../session/lost-device.ts';
import { measureSpeed } from '../session/measure.ts';
import { makeConfig, recordRun } from '../session/recorded-run.ts';
import { obtainWeights, type LoadedWeights } from '../session/weights.ts';
import { count, duration, percent, plural, rate, score } from '../text/format.ts';
import { table } from '../text/table.ts';
import { Trunk } from '../trunk/trunk.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    seed: true,
    precision: true,
    minutes: true,
    backend: true,
    adapter: true,
    trunk: true,
    output: true,
    quiet: true,
    json: true,
    verbose: true,
  })
  .partial({ adapter: true, output: true });

type DemoSettings = z.infer<typeof schema>;

export const demo = defineCommand({
  name: 'demo',
  summary: 'both methods on this machine, in minutes',
  description:
    'Measures the machine, then fine-tunes an ImageNet ResNet-50 on CIFAR-10 by both methods: the head alone on the frozen\n' +
    'trunk, then, from there, the last 42 layers thawed. Takes what is in THAW_HOME, downloads what is not, and does without either\n' +
    'where there is no network. Ends with a table and a report.',
  options: [
    ['precision', { default: 'float32' }],
    ['seed', { default: '1' }],
    ['minutes', { default: '3' }],
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    ['output', { flags: '--run-dir, --output <folder>', description: 'where the runs and the report go', default: 'runs/<date>-<data>-demo' }],
    'json', 'quiet', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw demo', 'about three minutes, whatever the machine'],
    ['thaw demo --minutes 15', 'more images, better scores'],
  ],
  schema,
  defaults: {
    precision: 'float32',
    seed: 1,
    minutes: 3,
    backend: 'auto',
    trunk: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: demoCommand,
});

/** Kept free of the budget: loading, the report, and what a measurement of a few batches gets wrong. */
const SAFETY = 0.85;

/** One of the two methods, before it is known how much there is time for. */
interface Method {
  readonly name: string;
  readonly settings: ArticleSettings;
}

const FROZEN: Method = { name: 'frozen trunk', settings: PRESETS['article-1'] };
/**
 * The article's recipe takes a whole data set. On what fits into minutes, thawing goes on from the head that the frozen
 * method trained, in small steps and with stored statistics.
 */
const THAWED: Method = {
  name: 'last 42 layers thawed',
  settings: { ...PRESETS['article-2-last42'], batchNorm: 'frozen', learningRate: 1e-4 },
};

async function demoCommand(settings: DemoSettings, { io, output }: Context): Promise<void> {
  const begun = performance.now();
  const homes = await findHomes(io);
  const interrupt = listenForInterrupt(() => output.say('\nStopping after this step; Ctrl-C again quits at once.'));
  let backend: OpenBackend | undefined;
  let trunk: Trunk | undefined;
  try {
    const notes: string[] = [];
    const tell = (note: string): void => {
      notes.push(note);
      output.event('note', { message: note });
      output.result(output.colors.yellow(note));
    };
    output.result(output.colors.bold('Thaw: an ImageNet ResNet-50, fine-tuned on this machine by two methods'));
    const progress = byteProgress(output);
    const loaded = await demoWeights(settings.seed, homes, progress, tell);
    const place = { cwd: io.cwd, homes, progress, signal: interrupt.signal, interrupt };
    const { name: dataName, data: all } = await demoData(settings.seed, place, tell);
    const open = (): Promise<OpenBackend> =>
      openBackend({
        io,
        onNote: (note) => output.say(note),
        ...settings,
        onFallback: () =>
          tell(
            `No WebGPU adapter: the trunk stays frozen, on WebAssembly. Thawing layers needs WebGPU. ${driverAdvice()}`,
          ),
      });
    const makeTrunk = (on: OpenBackend): Trunk =>
      new Trunk({ settings, backend: on, output, signal: interrupt.signal });
    const reopen = async (): Promise<Devices> => {
      await trunk?.close();
      backend?.close();
      backend = await open();
      trunk = makeTrunk(backend);
      return { backend, trunk };
    };
    backend = await open();
    trunk = makeTrunk(backend);
    if (!backend.canThaw && settings.backend === 'wasm')
      tell('On WebAssembly the trunk stays frozen: thawing layers needs WebGPU.');

    const folder =
      settings.output === undefined
        ? await makeRunFolder(join(io.cwd, 'runs'), runName(new Date(), dataName, 'demo'))
        : await claimRunFolder(resolve(io.cwd, settings.output));
    const full = ({ settings: own }: Method) => ({
      ...TRAIN_DEFAULTS,
      ...own,
      trunk: settings.trunk,
      seed: settings.seed,
      precision: settings.precision,
      data: dataName,
    });
    output.say(`device   ${backend.info.name}${backend.info.isSoftware ? ' (a processor, no GPU)' : ''}`);
    output.say('measuring how fast it is ...');
    const available = {
      train: all.train.indices.length + (all.validation?.indices.length ?? 0),
      test: all.test?.indices.length ?? 0,
    };
    // From the start on another device: what was measured of the one before says nothing of it.
    const speed = await onNewDevices({
      output,
      devices: { backend, trunk },
      reopen,
      signal: interrupt.signal,
      kept: () => 0,
      attempt: (devices) =>
        measureSpeed({
          ...devices,
          weights: loaded.weights,
          train: all.train,
          images: available.train + available.test,
          classes: all.classes.length,
          frozen: full(FROZEN),
          thawed: devices.backend.canThaw ? full(THAWED) : undefined,
          signal: interrupt.signal,
        }),
    });
    output.event('speed', { ...speed });
    if (interrupt.signal.aborted)
      throw new InterruptedError('Interrupted; nothing was trained yet.', interrupt.exitCode);
    const plan = planDemo(speed, {
      seconds: SAFETY * 60 * settings.minutes - (performance.now() - begun) / 1000,
      available,
      validationSplit: FROZEN.settings.validationSplit,
    });
    output.event('plan', { ...plan });
    output.say(describePlan(speed, plan, settings.minutes));

    const data = await openRunData(
      {
        data: dataName,
        seed: settings.seed,
        limitTrain: plan.trainImages,
        limitTest: plan.testImages,
        stratified: true,
      },
      place,
    );
    const methods = [
      { ...FROZEN, epochs: plan.frozenEpochs, slug: 'frozen' },
      { ...THAWED, epochs: plan.thawedEpochs, slug: 'thawed' },
    ].filter(({ epochs }) => epochs > 0);
    const reports: MethodReport[] = [];
    const configs: RunConfig[] = [];
    let initialHead: NamedTensors | undefined;
    for (const [i, method] of methods.entries()) {
      output.say(`\n${output.colors.bold(`${i + 1}. ${method.name}`)}`);
      const own = {
        ...full(method),
        epochs: method.epochs,
        limitTrain: plan.trainImages,
        limitTest: plan.testImages,
        stratified: true,
      };
      const config = makeConfig({ preset: method.name, command: io.commandLine, settings: own, data, loaded, backend });
      const result = await recordRun({
        folder: join(folder, method.slug),
        config,
        settings: own,
        reopen,
        context: {
          output,
          backend,
          homes,
          data,
          weights: loaded.weights,
          trunk,
          signal: interrupt.signal,
          initialHead,
          onLayers: (groups) => {
            output.event('layers', { groups });
            output.say(`${layerGroupTable(groups, output.width, output.colors)}\n`);
          },
        },
      });
      const { summary } = result;
      if (!summary)
        throw new InterruptedError(
          `Interrupted. What was trained so far is in ${join(folder, method.slug)}.`,
          interrupt.exitCode,
        );
      reports.push(methodReport({ ...result, name: method.name, config, summary }));
      configs.push(config);
      initialHead = (await new FileCheckpoints(join(folder, method.slug)).loadBest())?.variables;
    }
    if (dataName === 'cifar10' && loaded.source !== 'random') notes.push(scale(plan));
    const [config] = configs;
    if (!config) throw new CommandError('There was no time for a single epoch; give --minutes more.');
    const path = runFile.report(folder);
    await writeReport(path, {
      title: `${data.name}: ${methods.length > 1 ? 'a frozen and a thawed ResNet-50' : 'a frozen ResNet-50'}`,
      notes,
      environment: environmentOf(config),
      methods: reports,
    });
    output.event('result', {
      report: path,
      seconds: (performance.now() - begun) / 1000,
      methods: reports.map(({ name, trainImages, history, seconds, accuracy, macroF1 }) => ({
        name,
        trainImages,
        epochs: history.length,
        seconds,
        accuracy,
        macroF1,
      })),
    });
    output.result(`\n${resultTable(reports, output)}`);
    if (dataName === 'cifar10' && loaded.source !== 'random') output.result(`\n${output.colors.dim(scale(plan))}`);
    output.result(`\n${duration((performance.now() - begun) / 1000)} in all\nreport  ${path}`);
  } finally {
    interrupt.stop();
    await trunk?.close();
    backend?.close();
  }
}

/** What is in THAW_HOME, else a download, else random ones with a note. */
async function demoWeights(
  seed: number,
  homes: Homes,
  progress: ByteProgress,
  tell: (note: string) => void,
): Promise<LoadedWeights> {
  try {
    return await obtainWeights({}, homes, progress);
  } catch (error) {
    tell(
      `No ImageNet weights are to be had (${oneLine(error)}). Going on with random ones: the scores show that the machinery works, not what fine-tuning is worth.`,
    );
    return obtainWeights({ weights: 'random', seed }, homes);
  }
}

/** CIFAR-10 from THAW_HOME or by download, else the generated image set with a note. */
async function demoData(
  seed: number,
  place: Parameters<typeof openRunData>[1] & { readonly interrupt: Interrupt },
  tell: (note: string) => void,
): Promise<{ name: string; data: RunData }> {
  try {
    return { name: 'cifar10', data: await openRunData({ data: 'cifar10', seed }, place) };
  } catch (error) {
    if (place.interrupt.signal.aborted)
      throw new InterruptedError('Interrupted; nothing was trained yet.', place.interrupt.exitCode);
    tell(
      `CIFAR-10 is not to be had (${oneLine(error)}). Going on with generated images: coloured shapes in ten classes.`,
    );
    return { name: 'generated', data: await openRunData({ data: 'generated', seed }, place) };
  }
}

const oneLine = (error: unknown): string => explain(error).split('\n')[0]?.replace(/\.$/, '') ?? '';

function describePlan(
  speed: Awaited<ReturnType<typeof measureSpeed>>,
  { trainImages, testImages, frozenEpochs, thawedEpochs }: DemoPlan,
  minutes: number,
): string {
  const speeds = [
    `frozen trunk ${rate(speed.features)}`,
    ...(speed.thawed === undefined ? [] : [`thawed training ${rate(speed.thawed)}`]),
  ];
  const epochs = [
    `${plural(frozenEpochs, 'epoch')} frozen`,
    ...(thawedEpochs > 0 ? [`${plural(thawedEpochs, 'epoch')} thawed`] : []),
  ];
  return `speed    ${speeds.join(', ')} images/s\nplan     ${count(trainImages)} training and ${count(testImages)} test images, ${epochs.join(', ')}: about ${plural(minutes, 'minute')}`;
}

const scale = ({ trainImages }: DemoPlan): string =>
  `This is ${percent(trainImages / 50_000, 0)} of CIFAR-10's training images. On all of them, for 20 epochs, the article reports macro-F1 0.619 frozen and 0.79 thawed: thaw train --data cifar10 --preset article-1, or article-2.`;

function resultTable(reports: readonly MethodReport[], { colors }: Output): string {
  const right = 'right' as const;
  return table(
    [
      { title: 'method' },
      { title: 'images', align: right },
      { title: 'epochs', align: right },
      { title: 'time', align: right },
      { title: 'accuracy', align: right },
      { title: 'macro-F1', align: right },
    ],
    reports.map(({ name, trainImages, history, seconds, accuracy, macroF1 }) => [
      name,
      count(trainImages),
      String(history.length),
      duration(seconds),
      percent(accuracy),
      colors.bold(score(macroF1)),
    ]),
    colors,
  );
}
