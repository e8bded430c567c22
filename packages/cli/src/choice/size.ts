// How large images are to be, and how many of them, in the time that there is. Size comes first: CIFAR-10's features at 128 x 128
// give a linear head macro-F1 0.888 from 6,000 images, those at 32 x 32 only 0.663 from 42,500; at 96 x 96 it is 0.760 from 850
// (of 150 validation images).
import type { SomeSettings } from '../options/settings.ts';
import { roundDown } from '../session/demo-plan.ts';
import { count, duration } from '../text/format.ts';
import type { Choice } from './choice.ts';
import type { DataFacts, DeviceFacts } from './facts.ts';

/** Sides that are chosen among: multiples of the trunk's 32 up to what ImageNet weights were trained at. */
export const SIZES = [32, 64, 96, 128, 160, 192, 224] as const;
/** Enlarging helped that far, in the measurement above. */
const ENLARGED = 4;
/** Fewer images are not traded for larger ones. */
const LEAST_TRAIN = 1000;
const LEAST_TRAIN_PER_CLASS = 100;
/** Test images that tell an accuracy to within a point. */
const LEAST_TEST = 2000;
/** Of the time, for the trunk; the rest is for the head, the report, and what a short measurement gets wrong. */
const TRUNK_SHARE = 0.75;
/** A step with gradients against a pass forward: forward, and the same work twice backward. */
const TRAINING_PASSES = 3;

export interface SizeFacts {
  readonly data: DataFacts;
  readonly device: DeviceFacts;
  readonly seconds: number;
  /** Where the trunk runs in every epoch; without it, once for each image. */
  readonly passes: { readonly epochs: number } | undefined;
}

/** The largest side that is of use for images of such a side. */
export function useful(side: number | null): number {
  const most = side === null ? Infinity : ENLARGED * side;
  return SIZES.findLast((size) => size <= most) ?? SIZES[0];
}

/** Chooses the image size and, where not even the least images fit, how many there are. */
export function planSize(given: SomeSettings, { data, device, seconds, passes }: SizeFacts): Choice[] {
  const { pixelsPerSecond } = device;
  const largest = useful(data.side);
  const why = largestReason(data.side, largest);
  if (pixelsPerSecond === undefined) return [{ settings: { imageSize: largest }, reason: why }];
  const room = TRUNK_SHARE * seconds;
  const all = data.train + (data.isHeldOut ? data.validation : 0);
  const own = data.isHeldOut ? 0 : data.validation;
  const passesOfTrain = passes ? TRAINING_PASSES * passes.epochs : 1;
  const passesOfValidation = passes?.epochs ?? 1;
  // Images held out are `train`'s here, and features are kept of whole parts alone.
  const there = (part: keyof DataFacts['kept'], size: number, isWhole = true): number =>
    passes === undefined && isWhole && data.kept[part].has(size) ? data[part] : 0;
  const keptOf = (size: number, train: number, test: number): number =>
    there('train', size, train === all) +
    there('validation', size, !data.isHeldOut || train === all) +
    there('test', size, test === data.test);
  const time = (size: number, train: number, test: number): number =>
    ((train * passesOfTrain + own * passesOfValidation + test - keptOf(size, train, test)) * size ** 2) /
    pixelsPerSecond;

  const leastTrain = Math.min(
    all,
    given.limitTrain ?? Infinity,
    Math.max(LEAST_TRAIN, LEAST_TRAIN_PER_CLASS * data.perClass.length),
  );
  const leastTest = Math.min(data.test, given.limitTest ?? Infinity, LEAST_TEST);
  const wholeTrain = given.limitTrain ?? all;
  const wholeTest = given.limitTest ?? data.test;
  const ways = [[leastTrain, leastTest], [wholeTrain, leastTest], [wholeTrain, wholeTest]] as const; // prettier-ignore
  const fits = (one: number): boolean => ways.some(([train, test]) => time(one, train, test) <= room);
  const sizes = given.imageSize === undefined ? SIZES.filter((size) => size <= largest) : [given.imageSize];
  const size = sizes.findLast(fits) ?? sizes[0] ?? largest;
  const next = sizes.find((one) => one > size);
  const reason =
    next === undefined
      ? why
      : `what fits; ${next} would take about ${duration(time(next, leastTrain, leastTest))} for ${count(leastTrain + leastTest + own)} images`;
  const isWhole = time(size, wholeTrain, wholeTest) <= room;
  const ofKept = keptOf(size, wholeTrain, isWhole ? wholeTest : leastTest);
  const keptReason =
    ofKept > 0 ? `${reason}; features of ${count(ofKept)} images are kept from an earlier run` : reason;
  const choices: Choice[] = [{ settings: { imageSize: size }, reason: keptReason }];
  if (isWhole) return choices;
  // Test images only as far as they are needed, training images as many as fit.
  const test = given.limitTest ?? leastTest;
  const perTrain = (passesOfTrain * size ** 2) / pixelsPerSecond;
  const most = roundDown(Math.max(0, room - time(size, 0, test)) / perTrain);
  const isKept = time(size, wholeTrain, test) <= room;
  const train = isKept
    ? wholeTrain
    : (given.limitTrain ?? Math.min(all, Math.max(Math.min(leastTrain, LEAST_IMAGES), most)));
  if (train < all)
    choices.push({
      settings: { limitTrain: train },
      reason: `of ${count(all)}, as many as fit: large images are worth more than many`,
    });
  if (test < data.test)
    choices.push({
      settings: { limitTest: test },
      reason: `of ${count(data.test)}, enough to tell the accuracy to a point`,
    });
  return choices;
}

/** Fewer teach nothing, however slow the device. */
const LEAST_IMAGES = 200;

function largestReason(side: number | null, size: number): string {
  if (size === SIZES.at(-1)) return 'what the ImageNet weights were trained at';
  return `${ENLARGED} times the ${side ?? ''} pixels that the images have: enlarging helps that far`;
}
