// The two examples of the article as settings, and what holds where nothing is said.
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

/** What each preset sets. */
export const PRESETS: Readonly<Record<PresetName, ArticleSettings>> = {
  'article-1': { ...ARTICLE, thaw: 'none' },
  'article-2': { ...ARTICLE, thaw: ':-42' },
  'article-2-last42': { ...ARTICLE, thaw: '-42:' },
};

/** Settings of a training run that names no preset: a linear head on a frozen trunk. */
export const TRAIN_DEFAULTS = {
  validationSplit: 0.15,
  stratified: false,
  strict: false,
  thaw: 'none',
  batchNorm: 'keras',
  head: 'linear',
  dropout: 0,
  l2: 0,
  epochs: 20,
  batchSize: 32,
  precision: 'float32',
  lossScale: 'dynamic',
  optimizer: 'adam',
  learningRate: 1e-3,
  momentum: 0.9,
  weightDecay: 0,
  seed: 1,
  cacheFeatures: true,
  backend: 'auto',
  trunk: 'auto',
  quiet: false,
  json: false,
  verbose: false,
} as const satisfies SomeSettings;
