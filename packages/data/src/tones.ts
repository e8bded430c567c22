// Operations on the colours of an image, byte by byte as Pillow's ImageEnhance and ImageOps compute them (python-pillow,
// src/PIL/ImageEnhance.py, ImageOps.py, src/libImaging/Blend.c, Convert.c, Filter.c).

/** An image whose colours change in place. */
export interface TonedImage {
  /** height * width * 3 whole numbers from 0 to 255, RGB, pixel by pixel. */
  readonly rgb: Float32Array | Uint8Array;
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
}

/** What each operation does to an image, in place; `amount` is a factor, a number of bits or a threshold, or nothing. */
export const TONES = {
  /** Every colour times a factor. */
  brightness: (image, factor) => everyByte(image, (value) => blended(0, value, factor)),
  /** Away from the mean luma by a factor. */
  contrast: (image, factor) => {
    const mean = meanLuma(image);
    everyByte(image, (value) => blended(mean, value, factor));
  },
  /** Every pixel away from its own luma by a factor. */
  saturation: ({ rgb }, factor) => {
    for (let i = 0; i < rgb.length; i += 3) {
      const luma = lumaAt(rgb, i);
      for (let c = i; c < i + 3; c++) rgb[c] = blended(luma, rgb[c] ?? 0, factor);
    }
  },
  /** Away from a smoothed image by a factor. */
  sharpness: sharpen,
  /** Only the upper bits are kept. */
  posterize: (image, bits) => everyByte(image, (value) => value & (256 - 2 ** (8 - bits))),
  /** Bytes from a threshold on are inverted. */
  solarize: (image, threshold) => everyByte(image, (value) => (value < threshold ? value : 255 - value)),
  /** Each channel's darkest byte becomes 0, its brightest 255, those between in proportion. */
  autocontrast: (image) => everyChannel(image, autocontrastTable),
  /** Each channel's bytes are spread so that they are about equally frequent. */
  equalize: (image) => everyChannel(image, equalizeTable),
} as const satisfies Readonly<Record<string, (image: TonedImage, amount: number) => void>>;

/** The name of an operation. */
export type Tone = keyof typeof TONES;

/** From `from` to `to` and beyond, held within a byte, the fraction cut off; in float32 as Pillow does it. */
function blended(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(Math.fround(factor) * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** ITU-R BT.601 in parts of 2^16, rounded. */
const lumaAt = (rgb: ArrayLike<number>, i: number): number =>
  (19595 * (rgb[i] ?? 0) + 38470 * (rgb[i + 1] ?? 0) + 7471 * (rgb[i + 2] ?? 0) + 0x8000) >> 16;

function meanLuma({ rgb }: TonedImage): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += lumaAt(rgb, i);
  return Math.trunc((3 * sum) / rgb.length + 0.5);
}

/** A function of a byte alone, asked once of each. */
function everyByte({ rgb }: TonedImage, change: (value: number) => number): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => change(value));
  for (let i = 0; i < rgb.length; i++) rgb[i] = table[rgb[i] ?? 0] ?? 0;
}

/** A function of a byte and of how often its channel has each. @param tableOf undefined leaves the channel as it is */
function everyChannel({ rgb }: TonedImage, tableOf: (counts: Uint32Array) => Uint8Array | undefined): void {
  for (let channel = 0; channel < 3; channel++) {
    const counts = new Uint32Array(256);
    for (let i = channel; i < rgb.length; i += 3) {
      const value = rgb[i] ?? 0;
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const table = tableOf(counts);
    if (table) for (let i = channel; i < rgb.length; i += 3) rgb[i] = table[rgb[i] ?? 0] ?? 0;
  }
}

function autocontrastTable(counts: Uint32Array): Uint8Array | undefined {
  const least = counts.findIndex((count) => count > 0);
  const most = counts.findLastIndex((count) => count > 0);
  if (most <= least) return undefined;
  const scale = 255 / (most - least);
  return Uint8Array.from(counts, (_, value) => Math.min(255, Math.max(0, Math.trunc(value * scale - least * scale))));
}

function equalizeTable(counts: Uint32Array): Uint8Array | undefined {
  const present = counts.filter((count) => count > 0);
  const all = present.reduce((sum, count) => sum + count, 0);
  const step = Math.floor((all - (present.at(-1) ?? 0)) / 255);
  if (present.length < 2 || step === 0) return undefined;
  let below = Math.floor(step / 2);
  return Uint8Array.from(counts, (count) => {
    const value = Math.min(255, Math.floor(below / step));
    below += count;
    return value;
  });
}

/** A pixel is smoothed to (4 times itself and the sum of the nine around it) / 13; at an edge it stays as it is. */
function sharpen({ rgb, height, width }: TonedImage, factor: number): void {
  const before = rgb.slice();
  const row = 3 * width;
  const tall = new Float32Array(row);
  for (let top = row; top < (height - 1) * row; top += row) {
    for (let i = 0; i < row; i++)
      tall[i] = (before[top + i - row] ?? 0) + (before[top + i] ?? 0) + (before[top + i + row] ?? 0);
    for (let i = 3; i < row - 3; i++) {
      const centre = before[top + i] ?? 0;
      const sum = 4 * centre + (tall[i - 3] ?? 0) + (tall[i] ?? 0) + (tall[i + 3] ?? 0);
      rgb[top + i] = blended(Math.trunc(sum / 13 + 0.5), centre, factor);
    }
  }
}
