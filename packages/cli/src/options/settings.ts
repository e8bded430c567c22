// Every setting a command can have: its type, its flag, its group in --help and the words for a wrong value.
import { AUGMENTATION_POLICIES, AUGMENTATIONS } from '@thaw/data';
import { SCHEDULES } from '@thaw/model';
import { z } from 'zod';

export const WEIGHT_SOURCES = ['keras', 'torchvision', 'tf-official', 'random'] as const;
export type WeightSource = (typeof WEIGHT_SOURCES)[number];

export const BACKENDS = ['auto', 'thaw', 'wasm', 'cpu'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

export const TRUNKS = ['auto', 'device', 'wasm'] as const;

export const PRECISIONS = ['float32', 'mixed'] as const;

export const EXPORT_FORMATS = ['safetensors', 'onnx', 'tfjs', 'keras'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const PRESET_NAMES = ['article-1', 'article-2', 'article-2-last42', 'best'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const PEERS = ['tfjs-webgpu', 'tfjs-wasm', 'tfjs-cpu'] as const;

/** As @thaw/bench knows them; named here, or every command would load it for its help. */
export const GRAPHICS = ['auto', 'software', 'vulkan', 'gl', 'native'] as const;

const listOf = (words: readonly string[]): string => `(${words.join('|')})(,(${words.join('|')}))*`;
const POLICIES = Object.keys(AUGMENTATION_POLICIES);
const AUGMENT = new RegExp(`^(${POLICIES.join('|')}|${listOf(AUGMENTATIONS)})$`);
const HEAD = /^(article|linear|\d+(,\d+)*)$/;
const RANGE = /^\d*:\d*$/;

/** The settings, as a configuration file spells them. A flag is the same word in kebab case. */
export const settings = z.strictObject({
  preset: z.enum(PRESET_NAMES),
  data: z.string().min(1),
  split: z.enum(['train', 'validation', 'test']),
  range: z.string().regex(RANGE),
  limitTrain: z.int().min(1),
  limitTest: z.int().min(1),
  validationSplit: z.number().gt(0).lt(1),
  stratified: z.boolean(),
  strict: z.boolean(),
  imageSize: z.int().min(32).max(1024),
  augment: z.string().regex(AUGMENT),
  weights: z.enum(WEIGHT_SOURCES),
  weightsFile: z.string().min(1),
  run: z.string().min(1),
  checkpoint: z.enum(['best', 'last']),
  thaw: z.string().min(1),
  batchNorm: z.enum(['keras', 'frozen', 'train']),
  batchNormMomentum: z.number().min(0).lt(1),
  head: z.string().regex(HEAD),
  dropout: z.number().min(0).lt(1),
  l2: z.number().min(0),
  classes: z.int().min(2),
  top: z.boolean(),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  optimizer: z.enum(['adam', 'sgd']),
  learningRate: z.number().gt(0),
  rateDecay: z.number().gt(0).max(1),
  schedule: z.enum(SCHEDULES),
  warmup: z.number().min(0).lt(1),
  momentum: z.number().min(0).lt(1),
  nesterov: z.boolean(),
  weightDecay: z.number().min(0),
  decayKernelsOnly: z.boolean(),
  labelSmoothing: z.number().min(0).lt(1),
  averageWeights: z.number().min(0).lt(1),
  patience: z.int().min(1),
  seed: z.int().min(0).max(0xffffffff),
  resume: z.string().min(1),
  cacheFeatures: z.boolean(),
  output: z.string().min(1),
  format: z.enum(EXPORT_FORMATS),
  fold: z.boolean(),
  half: z.boolean(),
  topK: z.int().min(1),
  port: z.int().min(0).max(65535),
  maxUpload: z.number().gt(0).max(1024),
  maxWaiting: z.int().min(1),
  rateLimit: z.int().min(1),
  csv: z.boolean(),
  minutes: z.number().gt(0).max(600),
  against: z.string().regex(new RegExp(`^${listOf(PEERS)}$`)),
  rounds: z.int().min(1),
  seconds: z.number().gt(0),
  filter: z.string().min(1),
  with: z.string().min(1),
  graphics: z.enum(GRAPHICS),
  open: z.boolean(),
  html: z.string().min(1),
  exportStep: z.string().min(1),
  precision: z.enum(PRECISIONS),
  lossScale: z.union([z.literal('dynamic'), z.number().gt(0)]),
  backend: z.enum(BACKENDS),
  adapter: z.string().min(1),
  trunk: z.enum(TRUNKS),
  config: z.string().min(1),
  quiet: z.boolean(),
  json: z.boolean(),
  verbose: z.boolean(),
});

export type Settings = z.infer<typeof settings>;
export type SettingName = keyof Settings;
/** Any of the settings; undefined counts as not given. */
export type SomeSettings = { readonly [Name in SettingName]?: Settings[Name] | undefined };

export const GROUPS = ['Data', 'Model', 'Training', 'Measurement', 'Server', 'Device', 'Output', 'General'] as const;
export type Group = (typeof GROUPS)[number];

/** How a setting appears on the command line. */
export interface OptionInfo {
  readonly flags: string;
  readonly group: Group;
  readonly description: string;
  /** What a good value is, completing "... is not". */
  readonly expected: string;
  /** The valid words, where there is a list. */
  readonly values?: readonly string[];
  /** How the flag's text becomes the value; text as it is when absent. */
  readonly number?: true;
}

const whole = (least: number) => ({ number: true, expected: `a whole number of at least ${least}` }) as const;
const real = (expected: string) => ({ number: true, expected }) as const;
const words = (values: readonly string[]) => ({ values, expected: `one of ${values.join(', ')}` });
const text = (expected = 'a name or path') => ({ expected });
const share = { number: true, expected: 'a number from 0 up to, not including, 1' } as const;
const flag = { expected: 'true or false' } as const;

export const OPTION_INFO: Readonly<Record<SettingName, OptionInfo>> = {
  data: {
    group: 'Data',
    flags: '--data <name or folder>',
    description: 'cifar10, cifar100, or a folder of images: one folder per class, or train/ val/ test/ of such',
    ...text('a data set or a folder'),
  },
  split: {
    group: 'Data',
    flags: '--split <name>',
    description: 'which part of the data set',
    ...words(['train', 'validation', 'test']),
  },
  range: {
    group: 'Data',
    flags: '--range <from:to>',
    description: 'only these images of the split, counted from 0, the end not included',
    expected: 'a range such as 0:16, 100: or :500',
  },
  limitTrain: {
    group: 'Data',
    flags: '--limit-train <n>',
    description: 'train on a random subset of n images, every class keeping its share',
    ...whole(1),
  },
  limitTest: {
    group: 'Data',
    flags: '--limit-test <n>',
    description: 'test on a random subset of n images, every class keeping its share',
    ...whole(1),
  },
  validationSplit: {
    group: 'Data',
    flags: '--validation-split <share>',
    description: 'share of the training images held out, where the data set has no validation part',
    ...real('a number between 0 and 1, such as 0.15'),
  },
  stratified: { group: 'Data', flags: '--stratified', description: 'hold out the same share of every class', ...flag },
  strict: {
    group: 'Data',
    flags: '--strict',
    description: 'stop at the first unreadable image instead of skipping it',
    ...flag,
  },
  imageSize: {
    group: 'Data',
    flags: '--image-size <pixels>',
    description: 'side of the square that every image is brought to',
    ...real('a whole number from 32 to 1024'),
  },
  augment: {
    group: 'Data',
    flags: '--augment <what>',
    description:
      'training images look different in every epoch: none, light (crop,flip), strong (zoom,flip,jitter,erase), or a list of these words',
    expected: `${POLICIES.join(', ')}, or a list such as ${AUGMENTATIONS.join(',')}`,
  },
  preset: {
    group: 'Model',
    flags: '--preset <name>',
    description:
      "the article's settings: article-1 (trunk frozen), article-2 (all but the last 42 layers thawed), article-2-last42 (the last 42 thawed); or best: everything thawed at 160 x 160 pixels with augmentation, a schedule and rates by stage, for a large GPU",
    ...words(PRESET_NAMES),
  },
  weights: {
    group: 'Model',
    flags: '--weights <source>',
    description: 'ImageNet weights: keras, torchvision, tf-official, or random for none',
    ...words(WEIGHT_SOURCES),
  },
  weightsFile: {
    group: 'Model',
    flags: '--weights-file <file>',
    description: 'read the weights from this file instead of THAW_HOME',
    ...text('a file'),
  },
  run: {
    group: 'Model',
    flags: '--run <folder>',
    description: 'use the network that this run trained',
    ...text('a run folder'),
  },
  checkpoint: {
    group: 'Model',
    flags: '--checkpoint <name>',
    description: "which of the run's checkpoints",
    ...words(['best', 'last']),
  },
  thaw: {
    group: 'Model',
    flags: '--thaw <layers>',
    description:
      'what trains besides the head: none, all, a block and above (conv5, conv4_block6), a slice (-42: or :-42), /a pattern/; commas add up',
    ...text('a freeze spec'),
  },
  batchNorm: {
    group: 'Model',
    flags: '--batch-norm <mode>',
    description:
      'keras: batch statistics where thawed; frozen: stored statistics everywhere; train: batch statistics everywhere',
    ...words(['keras', 'frozen', 'train']),
  },
  batchNormMomentum: {
    group: 'Model',
    flags: '--batch-norm-momentum <x>',
    description: 'share of itself that a moving statistic keeps in a step on batch statistics',
    ...share,
  },
  head: {
    group: 'Model',
    flags: '--head <kind>',
    description: 'linear, article (dense 32, 16, 8), or widths of your own such as 256,64',
    expected: 'linear, article, or a list of widths such as 256,64',
  },
  dropout: {
    group: 'Model',
    flags: '--dropout <share>',
    description: 'dropout before every dense layer of the head',
    ...share,
  },
  l2: {
    group: 'Model',
    flags: '--l2 <factor>',
    description: "L2 penalty on the head's kernels",
    ...real('a number of at least 0'),
  },
  classes: {
    group: 'Model',
    flags: '--classes <n>',
    description: 'classes of the head that is counted in',
    ...whole(2),
  },
  top: { group: 'Model', flags: '--top', description: 'include the ImageNet classifier', ...flag },
  epochs: { group: 'Training', flags: '--epochs <n>', description: 'passes over the training images', ...whole(1) },
  batchSize: { group: 'Training', flags: '--batch-size <n>', description: 'images per step', ...whole(1) },
  optimizer: { group: 'Training', flags: '--optimizer <name>', description: 'adam or sgd', ...words(['adam', 'sgd']) },
  learningRate: {
    group: 'Training',
    flags: '--learning-rate <x>',
    description: 'step size of the optimizer',
    ...real('a number above 0'),
  },
  rateDecay: {
    group: 'Training',
    flags: '--rate-decay <x>',
    description:
      "each stage of the trunk learns at x times the rate of the one above it, the top stage at x times the head's",
    ...real('a number above 0, at most 1'),
  },
  schedule: {
    group: 'Training',
    flags: '--schedule <name>',
    description: 'the learning rate over the run: constant, cosine (down to 0), one-cycle (up, then down)',
    ...words(SCHEDULES),
  },
  warmup: {
    group: 'Training',
    flags: '--warmup <share>',
    description: 'share of the steps in which the learning rate rises',
    ...share,
  },
  momentum: {
    group: 'Training',
    flags: '--momentum <x>',
    description: 'momentum of sgd',
    ...share,
  },
  nesterov: { group: 'Training', flags: '--nesterov', description: "Nesterov's momentum", ...flag },
  weightDecay: {
    group: 'Training',
    flags: '--weight-decay <x>',
    description: 'weight decay: decoupled with adam, added to the gradient with sgd',
    ...real('a number of at least 0'),
  },
  decayKernelsOnly: {
    group: 'Training',
    flags: '--decay-kernels-only',
    description: 'weight decay leaves biases and batch-norms alone',
    ...flag,
  },
  labelSmoothing: {
    group: 'Training',
    flags: '--label-smoothing <share>',
    description: 'share of the target that all classes share evenly',
    ...share,
  },
  averageWeights: {
    group: 'Training',
    flags: '--average-weights <decay>',
    description:
      'validate and keep a moving average of the weights, which keeps this share of itself in a step; 0 for none',
    ...share,
  },
  patience: {
    group: 'Training',
    flags: '--patience <n>',
    description: 'stop after n epochs without a better validation accuracy',
    ...whole(1),
  },
  seed: {
    group: 'Training',
    flags: '--seed <n>',
    description: 'seed of the split, the order, the head and the dropout',
    ...real('a whole number from 0 to 4294967295'),
  },
  precision: {
    group: 'Model',
    flags: '--precision <name>',
    description:
      'float32, or mixed: float16 storage in the trunk, float32 sums and weights; needs WebGPU with shader-f16',
    ...words(PRECISIONS),
  },
  lossScale: {
    group: 'Training',
    flags: '--loss-scale <x>',
    description:
      'in mixed precision, what gradients are scaled by on their way through float16: dynamic, or a fixed number',
    number: true,
    expected: 'dynamic or a number above 0',
  },
  resume: {
    group: 'Training',
    flags: '--resume <run>',
    description: 'go on with an interrupted run, in its own folder',
    ...text('a run folder'),
  },
  cacheFeatures: {
    group: 'Training',
    flags: '--no-cache-features',
    description: 'run a frozen trunk though its features were kept, and keep none',
    ...flag,
  },
  minutes: {
    group: 'Training',
    flags: '--minutes <n>',
    description: 'about how long the whole demo may take',
    ...real('a number of minutes from 0 to 600'),
  },
  against: {
    group: 'Measurement',
    flags: '--against <names>',
    description: `the same in other engines too, commas between them: ${PEERS.join(', ')}`,
    expected: `a list of ${PEERS.join(', ')}`,
  },
  rounds: {
    group: 'Measurement',
    flags: '--rounds <n>',
    description: 'rounds in which every engine has its turn',
    ...whole(1),
  },
  seconds: {
    group: 'Measurement',
    flags: '--seconds <n>',
    description: 'time for the rounds of one case; every engine gets one round at least',
    ...real('a number of seconds above 0'),
  },
  filter: {
    group: 'Measurement',
    flags: '--filter <text>',
    description: 'only cases with this in their names; commas add up',
    ...text('part of a name'),
  },
  exportStep: {
    group: 'Measurement',
    flags: '--export-step <file>',
    description: 'write one case, from weights and images to loss and gradients, as safetensors; time nothing',
    ...text('a file to write'),
  },
  html: {
    group: 'Measurement',
    flags: '--html <file>',
    description: 'write a page with charts and every figure',
    ...text('a file to write'),
  },
  with: {
    group: 'Measurement',
    flags: '--with <file>',
    description: 'put the rows of this JSON file (of bench/pytorch_step.py, or an earlier run) into the table',
    ...text('a JSON file'),
  },
  backend: {
    group: 'Device',
    flags: '--backend <name>',
    description: 'auto: thaw (WebGPU) where there is an adapter, else wasm; cpu is for tests',
    ...words(BACKENDS),
  },
  graphics: {
    group: 'Device',
    flags: '--graphics <name>',
    description:
      'what the browser is started with: software (SwiftShader), vulkan, gl (WebGPU on Vulkan, WebGL on OpenGL), native; auto: on Linux vulkan with a GPU and software without, elsewhere native',
    ...words(GRAPHICS),
  },
  open: {
    group: 'Device',
    flags: '--no-open',
    description: 'start no browser: print the address, and wait until yours has opened it and is done',
    ...flag,
  },
  adapter: {
    group: 'Device',
    flags: '--adapter <name>',
    description: "part of the adapter's name, where there are several",
    ...text('part of an adapter name'),
  },
  trunk: {
    group: 'Device',
    flags: '--trunk <name>',
    description:
      'what runs a trunk that does not train: device, wasm (WebAssembly on all cores), or auto: without a GPU and with many images the faster of both, else the device',
    ...words(TRUNKS),
  },
  output: { group: 'Output', flags: '--run-dir, --output <path>', description: 'where to write', ...text('a path') },
  format: {
    group: 'Output',
    flags: '--format <name>',
    description:
      "safetensors (torchvision's names, for PyTorch), onnx, tfjs (a layers model, for browsers), keras (HDF5 weights in Keras's layout)",
    ...words(EXPORT_FORMATS),
  },
  fold: {
    group: 'Output',
    flags: '--fold',
    description: 'make batch-norms part of the convolutions before them: smaller, faster, not to be trained further',
    ...flag,
  },
  half: { group: 'Output', flags: '--half', description: 'filters and matrices in float16: half the size', ...flag },
  topK: { group: 'Output', flags: '--top-k <n>', description: 'how many classes to print for each image', ...whole(1) },
  port: {
    group: 'Server',
    flags: '--port <n>',
    description: 'port on 127.0.0.1; 0 takes any that is free',
    number: true,
    expected: 'a whole number from 0 to 65535',
  },
  maxUpload: { group: 'Server', flags: '--max-upload <MiB>', description: 'size of a request at most', ...real('a number above 0, at most 1024') }, // prettier-ignore
  maxWaiting: {
    group: 'Server',
    flags: '--max-waiting <n>',
    description: 'images that may wait for the device; more are told to come back (503)',
    ...whole(1),
  },
  rateLimit: {
    group: 'Server',
    flags: '--rate-limit <n>',
    description: "one client's requests a second at most; more are refused (429)",
    ...whole(1),
  },
  csv: { group: 'Output', flags: '--csv', description: 'comma-separated values on standard output', ...flag },
  json: {
    group: 'Output',
    flags: '--json',
    description: 'one JSON event a line on standard output, text on standard error',
    ...flag,
  },
  quiet: { group: 'Output', flags: '--quiet', description: 'only the result and warnings', ...flag },
  config: {
    group: 'General',
    flags: '--config <file>',
    description: 'settings from a JSON file; flags win over it',
    ...text('a JSON file'),
  },
  verbose: { group: 'General', flags: '--verbose', description: 'print the stack of an error', ...flag },
};

/** "learningRate" as the flag a person types: "--learning-rate". */
export function flagOf(name: SettingName): string {
  return /--[\w-]+(?=( <[^>]*>)?$)/.exec(OPTION_INFO[name].flags)?.[0] ?? `--${name}`;
}

/** Whether a word is the name of a setting. */
export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(OPTION_INFO, name);
}

/** Whether the setting is switched by its flag alone. */
export const isSwitch = (name: SettingName): boolean => !OPTION_INFO[name].flags.includes('<');
