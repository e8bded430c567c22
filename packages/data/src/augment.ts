// Augmentation as numbers: how an image is looked at in an epoch. What follows from it, pixel by pixel, is computed where the
// network is (`imageViews` of @thaw/kernels); here is only chance. A view depends on seed, epoch and image alone, and each
// augmentation on its own draws of it: not on batches, workers, order, or which other augmentations there are.
//
//   crop     the image moves by whole pixels, up to 1/8 of a side each way, and goes on mirrored at its edges
//            (4 of CIFAR's 32, as He et al., "Deep Residual Learning", 2016, section 4.2, with mirrors for zeros)
//   zoom     a part of half to all of the area, 3/4 to 4/3 as wide as it is high, fills the view
//            (Szegedy et al., "Going Deeper with Convolutions", 2015, section 6, who go down to 8 %)
//   flip     mirrored, every other time
//   jitter   brightness, contrast and saturation times 0.8 to 1.2 each, in this order (as torchvision's ColorJitter(0.2, 0.2,
//            0.2), which clamps after each and shuffles the order)
//   erase    every other time a rectangle of 2 to 20 % of the view, 0.3 to 3.3 times as wide as high, is the mean colour
//            (Zhong et al., "Random Erasing Data Augmentation", 2020)
//   rand     two operations of RandAugment's fourteen (rand-augment.ts)

import { DataError } from './errors.ts';
import { drawOperations, movedWindow, retone, type Window } from './rand-augment.ts';
import { Random } from './random.ts';

/** The augmentations there are, in the order in which they are applied. */
export const AUGMENTATIONS = ['crop', 'zoom', 'flip', 'jitter', 'erase', 'rand'] as const;
/** The name of an augmentation. */
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** Names for several at once. */
export const AUGMENTATION_POLICIES = {
  /** Images as they are. */
  none: [],
  /** Moved and mirrored. */
  light: ['crop', 'flip'],
  /** Zoomed, mirrored, recoloured and partly erased. */
  strong: ['zoom', 'flip', 'jitter', 'erase'],
} as const satisfies Readonly<Record<string, readonly Augmentation[]>>;

/** How an image is looked at. */
export interface View extends Window {
  /** A colour becomes gain rgb + grey luma + offset. */
  readonly gain: number;
  /** Share of the luma. */
  readonly grey: number;
  /** Added, of 255. */
  readonly offset: number;
  /** Pixels of the view that are erased; right and bottom are the first beyond. */
  readonly erased: {
    /** First column that is erased. */
    readonly left: number;
    /** First row that is erased. */
    readonly top: number;
    /** First column beyond. */
    readonly right: number;
    /** First row beyond. */
    readonly bottom: number;
  };
}

/** Magnitudes, as the list above states them. */
const MOVE = 1 / 8;
const ZOOM = { area: [0.5, 1], ratio: [3 / 4, 4 / 3] } as const;
const JITTER = [0.8, 1.2] as const;
const ERASE = { chance: 0.5, area: [0.02, 0.2], ratio: [0.3, 3.3] } as const;

/** ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** @throws DataError where `text` is neither a policy nor a list of augmentations */
export function parseAugmentations(text: string): readonly Augmentation[] {
  if (Object.hasOwn(AUGMENTATION_POLICIES, text)) {
    return AUGMENTATION_POLICIES[text as keyof typeof AUGMENTATION_POLICIES];
  }
  return text.split(',').map((word) => {
    const found = AUGMENTATIONS.find((name) => name === word.trim());
    if (found) return found;
    const policies = Object.keys(AUGMENTATION_POLICIES).join(', ');
    throw new DataError(
      `augmentation '${word}' is not known; give ${policies}, or a list of ${AUGMENTATIONS.join(', ')} with commas`,
    );
  });
}

/** The whole image as it is. */
export function plainView(height: number, width: number): View {
  const erased = { left: 0, top: 0, right: 0, bottom: 0 };
  return { x0: 0, x1: width, y0: 0, y1: height, shearX: 0, shearY: 0, gain: 1, grey: 0, offset: 0, erased };
}

/** Of which image which view is wanted. */
export interface ViewRequest {
  /** What may be done to it. */
  readonly augmentations: readonly Augmentation[];
  /** Of all views of a run. */
  readonly seed: number;
  /** From 1. */
  readonly epoch: number;
  /** Which image of the data set. */
  readonly index: number;
  /** Of the image, pixels. */
  readonly height: number;
  /** Of the image, pixels. */
  readonly width: number;
  /** Side of the view, in pixels. */
  readonly side: number;
  /** height * width * 3 values, RGB from 0 to 255. */
  readonly rgb: ArrayLike<number>;
}

/** How one image is looked at in one epoch: `retoneImage` comes before it, as its colours count. */
export function augmentedView(request: ViewRequest): View {
  const { augmentations, height, width, side, rgb } = request;
  const draws = drawsOf(request);
  let view = plainView(height, width);
  for (const name of AUGMENTATIONS) {
    if (!augmentations.includes(name)) continue;
    view = { ...view, ...change(name, draws[name], view, { height, width, side, rgb }) };
  }
  return view;
}

/** Changes an image's bytes in place, where it is to be augmented by `rand`: what a view cannot express of that. */
export function retoneImage(request: ViewRequest & { readonly rgb: Float32Array | Uint8Array }): void {
  if (request.augmentations.includes('rand')) retone(request, drawOperations(drawsOf(request).rand));
}

/** Five for each augmentation, whether it is wanted or not. */
function drawsOf({ seed, epoch, index }: ViewRequest): Record<Augmentation, Draws> {
  const random = Random.fromSeed(seed, `augment/${epoch}/${index}`);
  return Object.fromEntries(AUGMENTATIONS.map((name) => [name, fiveOf(random)])) as Record<Augmentation, Draws>;
}

type Draws = readonly [number, number, number, number, number];

const fiveOf = (random: Random): Draws => [
  random.float(),
  random.float(),
  random.float(),
  random.float(),
  random.float(),
];

/** What an augmentation changes of a view. @param draws uniform in [0, 1) */
function change(
  name: Augmentation,
  draws: Draws,
  view: View,
  { height, width, side, rgb }: Pick<ViewRequest, 'height' | 'width' | 'side' | 'rgb'>,
): Partial<View> {
  const [a, b, c, d, e] = draws;
  switch (name) {
    case 'crop': {
      const [dx, dy] = [moved(a, width), moved(b, height)];
      return { x0: view.x0 + dx, x1: view.x1 + dx, y0: view.y0 + dy, y1: view.y1 + dy };
    }
    case 'zoom': {
      const { w, h } = rectangle(between(ZOOM.area, a), geometric(ZOOM.ratio, b), width, height);
      // Where the window was; without a crop, all of the image.
      const [x0, y0] = [view.x0 + c * (width - w), view.y0 + d * (height - h)];
      return { x0, x1: x0 + w, y0, y1: y0 + h };
    }
    case 'flip':
      return a < 0.5 ? { x0: view.x1, x1: view.x0 } : {};
    case 'jitter': {
      const [brightness, contrast, saturation] = [between(JITTER, a), between(JITTER, b), between(JITTER, c)];
      const both = brightness * contrast;
      return {
        gain: saturation * both,
        grey: (1 - saturation) * both,
        offset: (1 - contrast) * brightness * meanLuma(rgb),
      };
    }
    case 'erase': {
      if (a >= ERASE.chance) return {};
      const { w, h } = rectangle(between(ERASE.area, b), geometric(ERASE.ratio, c), side, side);
      const [columns, rows] = [Math.max(1, Math.round(w)), Math.max(1, Math.round(h))];
      const left = Math.floor(d * (side - columns + 1));
      const top = Math.floor(e * (side - rows + 1));
      return { erased: { left, top, right: left + columns, bottom: top + rows } };
    }
    case 'rand':
      return movedWindow(view, drawOperations(draws), side);
    default:
      return name satisfies never;
  }
}

type Range = readonly [number, number];
const between = ([low, high]: Range, u: number): number => low + (high - low) * u;
/** As likely to be halved as doubled. */
const geometric = ([low, high]: Range, u: number): number => low * (high / low) ** u;

/** A whole number of pixels, as likely one way as the other. */
function moved(u: number, length: number): number {
  const most = Math.floor(length * MOVE);
  return Math.floor(u * (2 * most + 1)) - most;
}

/** Sides of a rectangle with a share of the area, as wide as `ratio` times its height, or as nearly as fits. */
function rectangle(share: number, ratio: number, width: number, height: number): { w: number; h: number } {
  const area = share * width * height;
  const w = Math.min(Math.sqrt(area * ratio), width);
  const h = Math.min(Math.sqrt(area / ratio), height);
  return { w, h };
}

/** @param rgb RGB, pixel by pixel */
function meanLuma(rgb: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    sum += LUMA[0] * (rgb[i] ?? 0) + LUMA[1] * (rgb[i + 1] ?? 0) + LUMA[2] * (rgb[i + 2] ?? 0);
  }
  return (3 * sum) / rgb.length;
}
