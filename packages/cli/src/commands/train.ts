// thaw train: fine-tunes on a data set, into a run folder.
import { join, resolve } from 'node:path';
import { allIndices } from '@thaw/data';
import { openUnlabelled } from '@thaw/data/node';
import type { z } from 'zod';
import { InterruptedError, UsageError } from '../errors.ts';
import { RECIPE_DEFAULTS, RUN_DEFAULTS, TRAIN_DEFAULTS } from '../options/presets.ts';
import { decide } from '../choice/decide.ts';
import { settled, type Choice } from '../choice/choice.ts';
import { flagOf, settings as allSettings, type SomeSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { environmentOf, methodReport } from '../report/build.ts';
import { writeReport } from '../report/write.ts';
import { contentFacts, shortHash } from '../ranks/facts.ts';
import { ranksInfo } from '../ranks/info.ts';
import { watchPulse } from '../ranks/pulse.ts';
import type { RunConfig } from '../runs/config.ts';
import { claimRunFolder, dropIfEmpty, exists, makeRunFolder, readRunConfig, runFile, runName } from '../runs/folder.ts';
import { portableData } from '../runs/portable.ts';
import { openBackend, type OpenBackend } from '../session/backend.ts';
import { thawsTrunk } from '../session/classifier.ts';
import { dataSlug, divide, openData, type Part } from '../session/data.ts';
import { findHomes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { layerGroupTable } from '../session/layers.ts';
import { phaseRows, phasesOf } from '../session/phases.ts';
import { makeConfig, recordRun } from '../session/recorded-run.ts';
import { obtainWeights } from '../session/weights.ts';
import { Trunk } from '../trunk/trunk.ts';
import { runHeader, runOutcome } from '../text/run.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    preset: true, data: true, limitTrain: true, limitTest: true, validationSplit: true, stratified: true, strict: true, method: true, headEpochs: true,
    imageSize: true, augment: true, weights: true, weightsFile: true, thaw: true, batchNorm: true, batchNormMomentum: true,
    head: true, dropout: true, l2: true, precision: true, lossScale: true, epochs: true, batchSize: true, optimizer: true, learningRate: true,
    rateDecay: true, schedule: true, warmup: true, momentum: true, nesterov: true, weightDecay: true, decayKernelsOnly: true,
    labelSmoothing: true, classWeights: true, mixup: true, cutmix: true, coral: true, coralWeight: true, averageWeights: true, patience: true, seed: true, timeBudget: true,
    resume: true, saveEvery: true, gradientCompression: true, syncBatchNorm: true, scaleLearningRate: true, cacheFeatures: true, output: true, backend: true, adapter: true, trunk: true, config: true, quiet: true,
    json: true, verbose: true,
  }) // prettier-ignore
  .partial({
    preset: true, coral: true, method: true, limitTrain: true, limitTest: true, imageSize: true, weights: true, weightsFile: true, warmup: true,
    patience: true, timeBudget: true, resume: true, output: true, adapter: true, config: true,
  }); // prettier-ignore

/** As given: what a recipe is made of may be left open, to be chosen. */
const given = schema.partial({
  validationSplit: true, stratified: true, augment: true, thaw: true, batchNorm: true, batchNormMomentum: true, head: true,
  dropout: true, l2: true, epochs: true, headEpochs: true, batchSize: true, optimizer: true, learningRate: true, rateDecay: true, schedule: true,
  momentum: true, nesterov: true, weightDecay: true, decayKernelsOnly: true, labelSmoothing: true, classWeights: true,
  mixup: true, cutmix: true, coralWeight: true, averageWeights: true,
}); // prettier-ignore

type TrainSettings = z.infer<typeof schema>;
type GivenSettings = z.infer<typeof given>;

/** What a resumed run must keep: these decide what its weights and its optimizer's state mean. */
const FIXED = ['preset', 'method', 'headEpochs', 'data', 'limitTrain', 'validationSplit', 'stratified', 'imageSize', 'weights', 'thaw', 'batchNorm', 'head', 'precision', 'lossScale', 'batchSize', 'optimizer', 'schedule', 'warmup', 'seed', 'coral'] as const; // prettier-ignore

export const train = defineCommand({
  name: 'train',
  summary: 'fine-tune on a data set',
  description:
    'Replaces the head of an ImageNet ResNet-50 and trains it, with the trunk frozen or partly thawed.\n' +
    'What is not given is chosen by the data, the device and the time there is, and printed with its reason; a preset sets all of it.\n' +
    'Writes a run folder: config.json, metrics.jsonl, events for TensorBoard, summary.json, last and best checkpoint, report.html.',
  options: [
    'data', 'limitTrain', 'limitTest', 'validationSplit', 'stratified', 'strict',
    ['imageSize', { default: "chosen; with a preset, the data's own" }],
    ['augment', { default: 'chosen' }],
    'preset',
    ['weights', { default: 'what is in THAW_HOME, else keras' }],
    'weightsFile',
    ['thaw', { default: 'none' }],
    ['batchNorm', { default: 'chosen' }],
    ['batchNormMomentum', { default: '0.99' }],
    ['head', { default: 'chosen' }],
    ['precision', { default: 'float32' }],
    'dropout',
    ['l2', { default: 'chosen' }],
    ['method', { default: 'chosen' }],
    ['timeBudget', { default: '20m' }],
    ['headEpochs', { default: 'chosen' }],
    ['epochs', { default: 'chosen' }],
    ['batchSize', { default: 'chosen' }],
    ['optimizer', { default: 'adam' }],
    ['learningRate', { default: 'chosen' }],
    ['rateDecay', { default: '1' }],
    ['schedule', { default: 'chosen' }],
    ['warmup', { default: '0, of one-cycle 0.3' }],
    ['momentum', { default: '0.9' }],
    'nesterov', 'weightDecay', 'decayKernelsOnly',
    ['labelSmoothing', { default: '0' }],
    ['classWeights', { default: 'chosen' }],
    ['mixup', { default: '0' }],
    ['cutmix', { default: '0' }],
    'coral',
    ['coralWeight', { default: '1' }],
    ['averageWeights', { default: '0' }],
    'patience',
    ['lossScale', { default: 'dynamic' }],
    ['seed', { default: '1' }],
    'resume',
    ['saveEvery', { default: '10' }],
    ['gradientCompression', { default: 'none' }],
    'syncBatchNorm',
    ['scaleLearningRate', { default: 'none' }],
    'cacheFeatures',
    ['backend', { default: 'auto' }],
    'adapter',
    ['trunk', { default: 'auto' }],
    ['output', { flags: '--run-dir, --output <folder>', description: 'the run folder', default: 'runs/<date>-<data>-<preset>' }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw train --data photos/', 'your own images, one folder per class; everything else is chosen'],
    ['thaw train --data photos/ --time-budget 5m', 'the same in about five minutes'],
    ['thaw train --data cifar10 --preset article-1', 'the article, first example: a new head on the frozen trunk'],
    ['thaw train --data cifar10 --preset article-2 --limit-train 5000 --epochs 2', 'its second example, cut short'],
    ['thaw train --data cifar10 --preset best', 'the best of CIFAR-10, on a large GPU'],
    ['thaw train --data photos/ --thaw conv5 --batch-norm frozen --learning-rate 1e-4', 'the last stage trains too'],
    [
      'mpirun -n 4 thaw train --data photos/ --thaw conv5',
      'on four GPUs: images shared, gradients added up over MPI; or srun',
    ],
    ['thaw train --resume runs/2026-11-24-101500-cifar10-article-2', 'go on where Ctrl-C stopped'],
  ],
  schema: given,
  defaults: RUN_DEFAULTS,
  ranks: 'share',
  base: async ({ resume }, { cwd }, ranks) =>
    typeof resume === 'string' ? (await ranks.fromFirst(() => readRunConfig(resolve(cwd, resume)))).settings : {},
  run: trainCommand,
});

async function trainCommand(asked: GivenSettings, { io, output, ranks }: Context): Promise<void> {
  const begun = performance.now();
  // A preset and a run that is resumed say all there is to say; otherwise what is left open is chosen below.
  const isOpen = asked.preset === undefined && asked.resume === undefined;
  let settings = await ranks.together(() => complete(asked));
  const resumed = settings.resume === undefined ? undefined : resolve(io.cwd, settings.resume);
  const before = resumed === undefined ? undefined : await ranks.fromFirst(() => readRunConfig(resumed));
  const thaws = await ranks.together(() => {
    if (before) refuseOtherRuns(settings, before);
    if (before) refuseChanges(settings, before);
    if (!isOpen || asked.method !== undefined || asked.thaw !== undefined) refuseCoral(settings);
    return refuseTrunk(settings);
  });
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  const preset = settings.preset ?? 'custom';
  // Before anything is loaded: minutes of work must not end at a folder that cannot be written.
  const folder = await ranks.fromFirst(() => chooseFolder(settings, io.cwd, resumed, preset));
  const interrupt = listenForInterrupt(() => {
    output.say();
    output.say('Stopping after this step and saving a checkpoint; Ctrl-C again quits at once.');
    if (ranks.size > 1) output.say(lostRankText(folder));
  });
  const pulse = watchPulse(interrupt.signal, (seconds) => {
    if (ranks.size === 1) return;
    output.warn(`no step has come to its end in ${seconds} seconds: another rank may be dead. ${lostRankText(folder)}`);
    process.exit(interrupt.exitCode);
  });
  let backend: OpenBackend | undefined;
  let trunk: Trunk | undefined;
  try {
    const opened = await ranks.fetching((download) =>
      openData(settings.data, { cwd: io.cwd, homes, progress, signal: interrupt.signal, download }),
    );
    let data = await ranks.together(() => divide(opened, settings));
    for (const note of data.notes) output.warn(note);
    const open = (): Promise<OpenBackend> =>
      openBackend({
        io,
        onNote: (note) => output.say(note),
        ...settings,
        thaws,
        onFallback: (reason) =>
          output.warnHere(`${reason} Going on without it: the trunk is frozen, so WebAssembly will do.`),
      });
    backend = await ranks.together(open);
    if (before && before.device.name !== backend.info.name)
      output.warn(`This run began on ${before.device.name}; on ${backend.info.name} its numbers round differently.`);
    // What ran the trunk before runs it again: another engine's features differ in their last bits.
    const makeTrunk = (on: OpenBackend, recorded: RunConfig | undefined): Trunk => {
      const engine = settings.trunk === 'auto' ? (recorded?.device.trunk?.engine ?? 'auto') : settings.trunk;
      return new Trunk({
        settings: { ...settings, trunk: engine },
        backend: on,
        output,
        signal: interrupt.signal,
        ranks: ranks.size,
      });
    };
    trunk = makeTrunk(backend, before);
    const loaded = await ranks.fetching((download) => obtainWeights({ ...settings, download }, homes, progress));
    const { weights } = loaded;
    let choices: Choice[] = [];
    if (isOpen) {
      const request = {
        settings: asked,
        begun,
        output,
        backend,
        // As it will be divided, where no fewer images are chosen: of those, features may be kept.
        data: divide(opened, { ...settings, stratified: asked.stratified ?? true }),
        homes,
        weights,
        trunk,
        signal: interrupt.signal,
        ranks: ranks.size,
      };
      choices = await ranks.fromFirst(() => decide(request));
      settings = complete(asked, choices);
      data = await ranks.together(() => divide(opened, settings));
    }
    const target = await ranks.together(() => coralTarget(settings, io.cwd));
    const targetFact = target && { "the hash of CORAL's images": shortHash(target.dataset.hash) };
    await ranks.agree({ ...contentFacts(data, weights), ...targetFact });
    const imageSize = settings.imageSize ?? Math.max(32, data.train.dataset.imageSize?.height ?? 224);
    const full = { ...settings, imageSize };
    const config = makeConfig({
      preset,
      command: io.commandLine,
      created: before?.created,
      trunk: before?.device.trunk,
      settings: await portable(full, io.cwd),
      choices: before?.choices ?? choices,
      data,
      loaded,
      backend,
      ranks: await ranksInfo(io, ranks, backend),
    });
    output.say([runHeader(config), ...phaseRows(phasesOf(full))].join('\n'));
    if (ranks.size > 1) output.say(lostRankText(folder));
    const result = await recordRun({
      folder,
      config,
      settings: full,
      resume: resumed !== undefined,
      reopen: async (recorded) => {
        await trunk?.close();
        backend?.close();
        backend = await open();
        trunk = makeTrunk(backend, recorded);
        return { backend, trunk };
      },
      context: {
        output,
        backend,
        homes,
        data,
        coralTarget: target,
        weights,
        trunk,
        signal: interrupt.signal,
        ranks,
        onBeat: () => pulse.beat(),
        onLayers: (groups) => {
          output.event('layers', { groups });
          output.say(`\n${layerGroupTable(groups, output.width, output.colors)}\n`);
        },
      },
    });
    const { summary } = result;
    if (!summary) throw ranks.share(await interrupted(folder, await ranks.exitCode(interrupt.exitCode)));
    if (!ranks.isFirst) return;
    await writeReport(runFile.report(folder), {
      title: `${config.data.name}, ${preset}`,
      notes: [],
      environment: environmentOf(config),
      methods: [methodReport({ ...result, name: preset, config, summary })],
    });
    output.event('result', { folder, report: runFile.report(folder), ...summary });
    output.result(runOutcome(result, data.classes, output, folder));
  } finally {
    interrupt.stop();
    pulse.stop();
    await trunk?.close();
    backend?.close();
    if (resumed === undefined && ranks.isFirst) await dropIfEmpty(folder);
  }
}

/** What a lost rank means: the job ends, the run does not. */
const lostRankText = (folder: string): string =>
  `Where a rank is lost, thaw train --resume ${folder} goes on from the last checkpoint, on any number of ranks.`;

/** @throws UsageError for runs that were not trained, or not from here on */
function refuseOtherRuns({ resume = '' }: TrainSettings, { classifier, adapted }: RunConfig): void {
  if (classifier)
    throw new UsageError(`--resume: ${resume} holds a classifier of thaw features, which is fitted in one go; fit it again there.`); // prettier-ignore
  if (adapted)
    throw new UsageError(`--resume: ${resume} holds the run ${adapted.run} with other batch-norms; go on with that one.`); // prettier-ignore
}

/** @returns whether the trunk trains. @throws UsageError where it cannot run on what was asked for */
function refuseTrunk(settings: TrainSettings): boolean {
  const { trunk, augment, mixup, cutmix, method, thaw, batchNorm } = settings;
  const thaws = thawsTrunk(settings) || method === 'fine-tune' || method === 'gradual';
  if (trunk !== 'wasm') return thaws;
  const anew = augment !== 'none' ? `augment ${augment}` : mixup > 0 ? 'mixup' : cutmix > 0 ? 'cutmix' : undefined;
  if (anew !== undefined)
    throw new UsageError(`--trunk wasm: with --${anew} the trunk runs anew in every step, on the device; leave one of the two out.`); // prettier-ignore
  if (thaws)
    throw new UsageError(
      `--trunk wasm: with --${method === undefined ? '' : `method ${method}, --`}thaw ${thaw} and --batch-norm ${batchNorm} the trunk trains, and WebAssembly has no gradient of a convolution; leave --trunk out, or train the head alone (--thaw none).`,
    );
  return thaws;
}

/** @throws UsageError where features stay as they are */
function refuseCoral(settings: TrainSettings): void {
  if (settings.coral === undefined) return;
  if (phasesOf(settings).every(({ thaw }) => !thawsTrunk({ ...settings, thaw })))
    throw new UsageError(
      '--coral: features are to move towards those of other images, and the trunk that makes them is frozen; give --thaw conv5 or --method fine-tune, or adapt batch-norms after the training (thaw adapt).',
    );
}

/** The images behind --coral. @throws UsageError where there are too few for covariances */
async function coralTarget(settings: TrainSettings, cwd: string): Promise<Part | undefined> {
  refuseCoral(settings);
  if (settings.coral === undefined) return undefined;
  const dataset = await openUnlabelled(resolve(cwd, settings.coral));
  if (dataset.length < 2)
    throw new UsageError(`--coral: ${settings.coral} has one image; covariances take two and more.`);
  return { dataset, indices: allIndices(dataset.length) };
}

/** With what was chosen, and the defaults for the rest. */
const complete = (settings: GivenSettings, choices: readonly Choice[] = []): TrainSettings =>
  schema.parse({ ...RECIPE_DEFAULTS, ...defined(settled(settings, choices)) });

/** Without what is undefined, which would hide a default. */
const defined = (settings: SomeSettings): SomeSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

async function chooseFolder(
  { output, data }: TrainSettings,
  cwd: string,
  resumed: string | undefined,
  preset: string,
): Promise<string> {
  if (resumed !== undefined) return resumed;
  if (output !== undefined) return claimRunFolder(resolve(cwd, output));
  return makeRunFolder(join(cwd, 'runs'), runName(new Date(), dataSlug(data), preset));
}

/** Settings as a resumed run needs them: paths that hold wherever it is resumed from, and nothing about talking. */
async function portable<Given extends TrainSettings>(
  settings: Given,
  cwd: string,
): Promise<Omit<Given, 'resume' | 'output' | 'config' | 'quiet' | 'json' | 'verbose'>> {
  const { resume: _r, output: _o, config: _c, quiet: _q, json: _j, verbose: _v, ...kept } = settings;
  return {
    ...kept,
    data: await portableData(kept.data, cwd),
    ...(kept.coral !== undefined && { coral: resolve(cwd, kept.coral) }),
    ...(kept.weightsFile !== undefined && { weightsFile: resolve(cwd, kept.weightsFile) }),
  };
}

function refuseChanges(settings: TrainSettings, { settings: before }: RunConfig): void {
  const defaults: SomeSettings = TRAIN_DEFAULTS;
  // A schedule runs over all epochs: with others, the steps behind would have had other rates.
  const names = settings.schedule === 'constant' ? FIXED : ([...FIXED, 'epochs'] as const);
  for (const name of names) {
    // Settings that an older run did not know are at their defaults.
    const [was, is] = [before[name] ?? defaults[name], settings[name]];
    if (was === is || ((name === 'data' || name === 'coral') && resolve(String(was)) === resolve(String(is)))) continue;
    throw new UsageError(
      `${flagOf(name)}: a resumed run keeps its ${String(was ?? 'unset value')}; start a new run to train with ${String(is)}.`,
    );
  }
}

async function interrupted(folder: string, exitCode: number): Promise<InterruptedError> {
  const saved = await exists(runFile.checkpoint(folder, 'last'));
  return new InterruptedError(
    `Interrupted${saved ? '; a checkpoint is saved' : ' before the first step'}. Go on with: thaw train --resume ${folder}`,
    exitCode,
  );
}
