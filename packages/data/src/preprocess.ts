// From RGB bytes to what each set of ImageNet weights was trained on.
//
//   keras        BGR - (103.939, 116.779, 123.68)
//   torchvision  (RGB / 255 - mean) / std, mean (0.485, 0.456, 0.406), std (0.229, 0.224, 0.225)
//   tf-official  RGB - (123.68, 116.78, 103.94)
//   none         RGB as it is, 0 to 255

import { DataError } from './errors.ts';

/** The preprocessings there are: those of the weights' sources, and `none`. */
export const PREPROCESSINGS = ['keras', 'torchvision', 'tf-official', 'none'] as const;

/** The name of a preprocessing. */
export type Preprocessing = (typeof PREPROCESSINGS)[number];

interface Recipe {
  /** Which channel of RGB an output channel is made of. */
  readonly channels: readonly [number, number, number];
  /** Output value of a byte, per output channel; in float64. */
  readonly value: (byte: number, outputChannel: 0 | 1 | 2) => number;
}

const RGB = [0, 1, 2] as const;
const BGR = [2, 1, 0] as const;

const RECIPES: Record<Preprocessing, Recipe> = {
  keras: { channels: BGR, value: (byte, c) => byte - ([103.939, 116.779, 123.68] as const)[c] },
  torchvision: {
    channels: RGB,
    value: (byte, c) => (byte / 255 - ([0.485, 0.456, 0.406] as const)[c]) / ([0.229, 0.224, 0.225] as const)[c],
  },
  'tf-official': { channels: RGB, value: (byte, c) => byte - ([123.68, 116.78, 103.94] as const)[c] },
  none: { channels: RGB, value: (byte) => byte },
};

// A byte has 256 values: three tables replace the arithmetic and round once, from float64.
const tables = new Map<Preprocessing, readonly [Float32Array, Float32Array, Float32Array]>();

function tablesOf(name: Preprocessing): readonly [Float32Array, Float32Array, Float32Array] {
  const known = tables.get(name);
  if (known) return known;
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (!recipe) throw new DataError(`preprocessing ${name} is not one of ${PREPROCESSINGS.join(', ')}`);
  const table = (c: 0 | 1 | 2) => Float32Array.from({ length: 256 }, (_, byte) => recipe.value(byte, c));
  const made = [table(0), table(1), table(2)] as const;
  tables.set(name, made);
  return made;
}

/** A preprocessing as arithmetic: output channel c is scale[c] rgb[channels[c]] + shift[c]. */
export interface Normalisation {
  /** Which channel of RGB each output channel is made of. */
  readonly channels: readonly [number, number, number];
  /** One of each output channel. */
  readonly scale: readonly [number, number, number];
  /** One of each output channel. */
  readonly shift: readonly [number, number, number];
}

/** For whoever applies it elsewhere: on the device, to pixels that are no whole numbers. */
export function normalisationOf(name: Preprocessing): Normalisation {
  const { channels, value } = RECIPES[name];
  const shift = (c: 0 | 1 | 2) => value(0, c);
  const scale = (c: 0 | 1 | 2) => (value(255, c) - value(0, c)) / 255;
  return { channels, scale: [scale(0), scale(1), scale(2)], shift: [shift(0), shift(1), shift(2)] };
}

/**
 * Writes `rgb` (RGB bytes, pixel by pixel) preprocessed into `out`, from element `offset` on.
 * @throws RangeError where `rgb` is not whole pixels or `out` is too short
 */
export function preprocess(rgb: Uint8Array, name: Preprocessing, out: Float32Array, offset = 0): void {
  const [first, second, third] = tablesOf(name);
  const [a, b, c] = RECIPES[name].channels;
  if (rgb.length % 3 !== 0) throw new RangeError(`preprocess: ${rgb.length} bytes are not whole RGB pixels`);
  if (offset < 0 || offset + rgb.length > out.length) {
    throw new RangeError(`preprocess: ${rgb.length} values do not fit at ${offset} of ${out.length}`);
  }
  for (let i = 0; i < rgb.length; i += 3) {
    out[offset + i] = first[rgb[i + a] ?? 0] ?? 0;
    out[offset + i + 1] = second[rgb[i + b] ?? 0] ?? 0;
    out[offset + i + 2] = third[rgb[i + c] ?? 0] ?? 0;
  }
}
