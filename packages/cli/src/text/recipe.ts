// How a run is trained, in words: what its optimizer is, and what it has beyond the plain.
import { parseAugmentations } from '@thaw/data';
import { layerTable, rateGroups, VARIANTS } from '@thaw/model';
import type { SomeSettings } from '../options/settings.ts';
import { thawedLayers } from '../session/classifier.ts';
import { percent } from './format.ts';

/** "sgd with Nesterov momentum 0.9, learning rate 0.05". */
export function optimizerText({
  optimizer = 'adam',
  momentum = 0,
  nesterov = false,
  learningRate,
}: SomeSettings): string {
  const momentumText =
    optimizer === 'sgd' && momentum > 0 ? ` with ${nesterov ? 'Nesterov ' : ''}momentum ${momentum}` : '';
  return `${optimizer}${momentumText}, learning rate ${learningRate ?? ''}`;
}

/** What there is to tell beyond the plain, each with a word for it. */
export function recipeRows(settings: SomeSettings): [label: string, text: string][] {
  const rows: [string, string][] = [];
  const augmentation = augmentationText(settings);
  if (augmentation) rows.push(['augment', augmentation]);
  const schedule = scheduleText(settings);
  if (schedule) rows.push(['schedule', schedule]);
  const rates = ratesText(settings);
  if (rates) rows.push(['rates', rates]);
  const rest = regularisation(settings);
  if (rest.length > 0) rows.push(['besides', rest.join(', ')]);
  return rows;
}

function augmentationText({ augment = 'none', thaw, batchNorm, imageSize }: SomeSettings): string | undefined {
  const list = parseAugmentations(augment);
  if (list.length === 0) return undefined;
  const isFrozen = batchNorm !== 'train' && thaw !== undefined && thawedLayers(thaw).size === 0;
  const kept = isFrozen ? '; the trunk runs anew in every epoch, as its features cannot be kept' : '';
  return `${list.join(', ')}, in every epoch anew, on the device, at ${imageSize} x ${imageSize}${kept}`;
}

function scheduleText({ schedule = 'constant', warmup, patience }: SomeSettings): string | undefined {
  const parts: string[] = [];
  const rises = warmup ?? (schedule === 'one-cycle' ? 0.3 : 0);
  if (schedule !== 'constant' || rises > 0) parts.push(schedule);
  if (rises > 0) parts.push(`rising over the first ${percent(rises, 0)} of the steps`);
  if (patience !== undefined) parts.push(`ending after ${patience} epochs without a better one`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** Rate of the head and of each stage that trains, where they differ. */
function ratesText({ rateDecay = 1, learningRate = 0, thaw = 'none' }: SomeSettings): string | undefined {
  if (rateDecay === 1) return undefined;
  const layers = layerTable(VARIANTS.keras, { imageSize: 32 }).map(({ name }) => name);
  const groupOf = rateGroups({ stageDecay: rateDecay }, layers);
  const thawed = thawedLayers(thaw);
  const groups = new Map(['head', ...layers.filter((name) => thawed.has(name) && name.startsWith('conv')).reverse()].map((name) => {
    const { name: group, multiplier } = groupOf(name);
    return [group, multiplier];
  })); // prettier-ignore
  return [...groups].map(([name, multiplier]) => `${name} ${shortNumber(learningRate * multiplier)}`).join(', ');
}

function regularisation(settings: SomeSettings): string[] {
  const {
    labelSmoothing = 0,
    classWeights = 'none',
    mixup = 0,
    cutmix = 0,
    coral,
    coralWeight = 1,
    weightDecay = 0,
    decayKernelsOnly,
    averageWeights = 0,
    batchNormMomentum = 0.99,
  } = settings;
  return [
    labelSmoothing > 0 ? `label smoothing ${labelSmoothing}` : '',
    classWeights === 'balanced' ? 'classes weighted to count the same' : '',
    mixup > 0 ? `mixup ${mixup}` : '',
    cutmix > 0 ? `cutmix ${cutmix}` : '',
    coral === undefined ? '' : `CORAL towards ${coral}, weight ${coralWeight}`,
    weightDecay > 0 ? `weight decay ${weightDecay}${decayKernelsOnly ? ' of kernels alone' : ''}` : '',
    averageWeights > 0 ? `averaged weights (${averageWeights})` : '',
    batchNormMomentum === 0.99 ? '' : `batch-norm momentum ${batchNormMomentum}`,
  ].filter(Boolean);
}

const shortNumber = (value: number): string => String(Number(value.toPrecision(3)));

/** "schedule" as "Schedule". */
export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
