// The two examples of the article and the best that we know as settings, and what holds where nothing is said.
import type { PresetName, Settings, SomeSettings } from './settings.ts';

const ARTICLE = {
  head: 'article',
  optimizer: 'adam',
  learningRate: 1e-3,
  batchSize: 32,
  epochs: 20,
  validationSplit: 0.15,
  imageSize: 32,
  batchNorm: 'keras',
} as const satisfies SomeSettings;

/** What the article fixes. */
export type ArticleSettings = Pick<Settings, keyof typeof ARTICLE | 'thaw'>;

/** What each preset sets. docs/decisions/the-best-preset.md says why. */
export const PRESETS = {
  'article-1': { ...ARTICLE, thaw: 'none' },
  'article-2': { ...ARTICLE, thaw: ':-42' },
  'article-2-last42': { ...ARTICLE, thaw: '-42:' },
  best: {
    validationSplit: 0.05,
    stratified: true,
    imageSize: 160,
    augment: 'light',
    thaw: 'all',
    batchNorm: 'keras',
    batchNormMomentum: 0.9,
    head: 'linear',
    epochs: 8,
    batchSize: 128,
    optimizer: 'adam',
    learningRate: 1e-3,
    rateDecay: 0.5,
    schedule: 'cosine',
    warmup: 0.1,
    weightDecay: 0.05,
    decayKernelsOnly: true,
    labelSmoothing: 0.1,
    averageWeights: 0.997,
  },
} as const satisfies Readonly<Record<PresetName, SomeSettings>>;

/** How a run trains where neither a person nor a preset nor the choice (choice/choose.ts) says otherwise. */
export const RECIPE_DEFAULTS = {
  validationSplit: 0.15,
  stratified: false,
  augment: 'none',
  thaw: 'none',
  headEpochs: 20,
  batchNorm: 'keras',
  batchNormMomentum: 0.99,
  head: 'linear',
  dropout: 0,
  l2: 0,
  epochs: 20,
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 1e-3,
  rateDecay: 1,
  schedule: 'constant',
  momentum: 0.9,
  nesterov: false,
  weightDecay: 0,
  decayKernelsOnly: false,
  labelSmoothing: 0,
  classWeights: 'none',
  mixup: 0,
  cutmix: 0,
  coralWeight: 1,
  averageWeights: 0,
} as const satisfies SomeSettings;

/** What holds for every run of thaw train that says nothing else: how it runs, not how it trains. */
export const RUN_DEFAULTS = {
  strict: false,
  precision: 'float32',
  lossScale: 'dynamic',
  seed: 1,
  saveEvery: 10,
  gradientCompression: 'none',
  syncBatchNorm: false,
  scaleLearningRate: 'none',
  cacheFeatures: true,
  backend: 'auto',
  trunk: 'auto',
  quiet: false,
  json: false,
  verbose: false,
} as const satisfies SomeSettings;

/** Both. */
export const TRAIN_DEFAULTS = { ...RECIPE_DEFAULTS, ...RUN_DEFAULTS } as const satisfies SomeSettings;
