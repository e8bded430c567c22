// What a person did not set, chosen from facts about data, device and time: rules alone, no measuring. Each choice comes with
// its reason; what was set stays.
import type { Method } from '@thaw/model';
import type { SomeSettings } from '../options/settings.ts';
import { count } from '../text/format.ts';
import type { Choice } from './choice.ts';
import type { DataFacts, DeviceFacts } from './facts.ts';
import { planSize, useful, type SizeFacts } from './size.ts';

export interface Facts {
  readonly data: DataFacts;
  readonly device: DeviceFacts;
  /** Time that is left for the run. */
  readonly seconds: number;
  /** Whether a spec thaws something of the trunk. */
  readonly isThawed: boolean;
  /** Processes that share each step's images; default one. */
  readonly ranks?: number | undefined;
}

/** Training images below which the statistics of batch-norms stay those of ImageNet: batches of them say too little. */
const FEW_IMAGES = 10_000;
/** Times that the largest class is as large as the smallest, from which classes are weighted. */
const UNEVEN = 1.5;
/** Steps after which a head on fixed features has settled, and bounds of the epochs that this makes. */
const HEAD_STEPS = 2000;
const HEAD_EPOCHS = { least: 10, most: 100 } as const;
const THAWED_EPOCHS = 10;

/** Chooses what `given` leaves open. @returns only choices with something in them that was not given */
export function choose(given: SomeSettings, facts: Facts): Choice[] {
  const { data, device, isThawed, ranks = 1 } = facts;
  const choices: Choice[] = [];
  const chosen: { -readonly [Name in keyof SomeSettings]: SomeSettings[Name] } = { ...given };
  const add = (settings: SomeSettings, reason: string): void => {
    const open = Object.fromEntries(Object.entries(settings).filter(([name]) => given[name as keyof SomeSettings] === undefined)); // prettier-ignore
    if (Object.keys(open).length === 0) return;
    Object.assign(chosen, open);
    choices.push({ settings: open, reason });
  };

  if (data.isHeldOut) add({ stratified: true }, 'every class keeps its share of the images held out');
  const how = methodOf(given, facts);
  if (how) add({ method: how.method }, how.reason);
  const { method } = chosen;
  const isPhased = method === 'fine-tune' || method === 'gradual';
  const thaws = isPhased || isThawed;
  if (isPhased) add({ thaw: 'conv5' }, 'the last stage: what ImageNet taught in it is the most particular');
  for (const { settings, reason } of planSize(given, sizeFacts(given, facts, thaws))) add(settings, reason);

  const imageSize = chosen.imageSize ?? useful(data.side);
  const train = trainImages(data, chosen);
  const batch = batchSize(train, imageSize, device, thaws);
  add({ batchSize: batch.size }, batch.reason);
  add({ head: 'linear' }, 'ImageNet features tell classes apart by planes; hidden layers need more images');
  add(
    { augment: thaws ? 'light' : 'none' },
    thaws ? 'moved and mirrored images in every epoch' : 'kept features are those of the images as they are',
  );
  const ratio = Math.max(...data.perClass) / Math.max(1, Math.min(...data.perClass));
  add(
    { classWeights: ratio >= UNEVEN ? 'balanced' : 'none' },
    ratio >= UNEVEN
      ? `the largest class has ${ratio.toFixed(1)} times the images of the smallest`
      : `no class has more than ${UNEVEN} times the images of another`,
  );
  if (thaws) {
    add(
      isPhased
        ? { learningRate: 2e-4, rateDecay: 0.5, schedule: 'cosine', warmup: 0.1 }
        : { learningRate: 1e-4, schedule: 'cosine', warmup: 0.1 },
      'small steps, so that what ImageNet taught is not lost',
    );
    const few = train < FEW_IMAGES;
    add(
      { batchNorm: few ? 'frozen' : 'keras' },
      few
        ? `${count(train)} images are too few for statistics of their own`
        : 'enough images for statistics of their own',
    );
    add({ epochs: THAWED_EPOCHS, patience: 5 }, 'most of what thawing gains comes in the first epochs');
  } else
    add({ learningRate: 1e-3, schedule: 'cosine' }, "Adam's usual rate for a new head, down to 0 so that it settles");
  if (isPhased || !thaws) {
    add(
      { l2: Number((1 / (2 * train)).toPrecision(2)) },
      `1 / (2 x ${count(train)} images), as of a logistic regression with C = 1`,
    );
    const steps = Math.ceil(train / (ranks * (chosen.batchSize ?? batch.size)));
    const wanted = Math.min(HEAD_EPOCHS.most, Math.max(HEAD_EPOCHS.least, Math.ceil(HEAD_STEPS / steps)));
    const reason = `about ${count(steps * wanted)} steps${isPhased ? ' of the head' : ''}; they are quick on kept features`;
    add(isPhased ? { headEpochs: wanted } : { epochs: wanted }, reason);
  }
  return choices;
}

/** What planSize is to reckon with, where the trunk trains and where it does not. */
function sizeFacts({ epochs }: SomeSettings, { data, device, seconds }: Facts, thaws: boolean): SizeFacts {
  return { data, device, seconds, passes: thaws ? { epochs: epochs ?? THAWED_EPOCHS } : undefined };
}

/** How to train, where neither that nor what thaws was given. */
function methodOf(given: SomeSettings, facts: Facts): { method: Method; reason: string } | undefined {
  if (given.method !== undefined || given.thaw !== undefined || facts.isThawed) return undefined;
  if (given.coral !== undefined)
    return { method: 'fine-tune', reason: 'CORAL moves features, so something of the trunk has to train' };
  const { canThaw, isSoftware } = facts.device;
  const head = 'the head alone trains, on features that are computed once';
  if (!canThaw || isSoftware) return { method: 'frozen', reason: `without a GPU ${head}` };
  const plan = (thaws: boolean): string => JSON.stringify(planSize(given, sizeFacts(given, facts, thaws)).map(({ settings }) => settings)); // prettier-ignore
  if (plan(true) !== plan(false))
    return { method: 'frozen', reason: `thawing would need smaller or fewer images; ${head}` };
  return { method: 'fine-tune', reason: 'there is time for it, and the best weights of both phases are kept' };
}

/** Training images that are left after a limit. */
function trainImages({ train, validation, isHeldOut }: DataFacts, { limitTrain }: SomeSettings): number {
  const all = train + (isHeldOut ? validation : 0);
  return Math.max(1, Math.round((train * Math.min(all, limitTrain ?? all)) / all));
}

/** Bytes of the largest tensor of an image: after the stem 64 channels of half its side, after the first stage 256 of a quarter. */
const tensorBytes = (imageSize: number): number => 4 * 64 * (imageSize / 2) ** 2;

function batchSize(
  train: number,
  imageSize: number,
  { maxTensorBytes }: DeviceFacts,
  isThawed: boolean,
): { size: number; reason: string } {
  const wanted = isThawed || train < 5000 ? 32 : 128;
  const most = 2 ** Math.floor(Math.log2(Math.max(1, maxTensorBytes / tensorBytes(imageSize))));
  if (most < wanted)
    return { size: most, reason: `the most that the device holds in one tensor at ${imageSize} x ${imageSize}` };
  return { size: wanted, reason: wanted === 32 ? 'small batches learn more from few images' : 'larger batches are quicker, and there are images enough' }; // prettier-ignore
}

/** "10m" in seconds. */
export function budgetSeconds(text: string): number {
  const unit = { s: 1, m: 60, h: 3600 }[text.at(-1) ?? ''] ?? 1;
  return Number(text.slice(0, -1)) * unit;
}
