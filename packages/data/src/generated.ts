// A drawn data set, for when there is no other: coloured shapes on noisy ground, 32 x 32, by seed.
//
// A class is a shape and a colour. With ten classes each shape and most colours occur in two of them, so neither alone
// tells the class. Place, size, angle, shade, ground and noise vary from image to image.

import { DataError } from './errors.ts';
import { MemoryDataset } from './memory-dataset.ts';
import { Random } from './random.ts';

const SIDE = 32;
const COLOURS: readonly (readonly [name: string, rgb: readonly [number, number, number]])[] = [
  ['red', [215, 45, 40]],
  ['green', [45, 165, 70]],
  ['blue', [50, 85, 210]],
  ['yellow', [235, 205, 50]],
  ['purple', [150, 60, 175]],
  ['white', [235, 235, 235]],
];

/** Whether a point is in the shape, which reaches to about 1 from the origin. */
const SHAPES: readonly (readonly [name: string, inside: (x: number, y: number) => boolean])[] = [
  ['disc', (x, y) => x * x + y * y < 0.8],
  ['square', (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.78],
  ['triangle', (x, y) => y > -0.55 && y < 1 - Math.sqrt(3) * Math.abs(x)],
  ['ring', (x, y) => x * x + y * y < 1 && x * x + y * y > 0.36],
  ['cross', (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.27 && Math.max(Math.abs(x), Math.abs(y)) < 1],
];

/** How many images are drawn, of how many classes. */
export interface GeneratedOptions {
  /** Number of images; classes take turns. */
  readonly count: number;
  /** 2 to 30; default 10. */
  readonly classes?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Different splits of one seed have different images. Default `train`. */
  readonly split?: 'train' | 'test' | undefined;
}

/** Drawn images of 32 x 32 pixels, made anew at each read; the same for the same options on every platform. */
export function generatedDataset({ count, classes = 10, seed = 0, split = 'train' }: GeneratedOptions): MemoryDataset {
  const most = SHAPES.length * COLOURS.length;
  if (!Number.isInteger(classes) || classes < 2 || classes > most) {
    throw new DataError(`${classes} generated classes: give 2 to ${most}`);
  }
  if (!Number.isInteger(count) || count < 1) throw new DataError(`${count} generated images: give at least 1`);
  const kinds = Array.from({ length: classes }, (_, k) => kindOf(k));
  return new MemoryDataset({
    name: `generated ${split}`,
    classes: kinds.map((kind) => kind.name),
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
    hash: `generated-1 classes=${classes} count=${count} seed=${seed} split=${split}`,
    imageSize: { height: SIDE, width: SIDE },
    read: (index, out) => {
      const kind = kinds[index % classes];
      if (kind) draw(kind, Random.fromSeed(seed, `generated/${split}/${index}`), out);
    },
  });
}

interface Kind {
  readonly name: string;
  readonly inside: (x: number, y: number) => boolean;
  readonly rgb: readonly [number, number, number];
}

function kindOf(k: number): Kind {
  const s = k % SHAPES.length;
  const c = (s + Math.floor(k / SHAPES.length)) % COLOURS.length;
  const [shape, inside] = SHAPES[s] ?? ['', () => false];
  const [colour, rgb] = COLOURS[c] ?? ['', [0, 0, 0]];
  return { name: `${colour} ${shape}`, inside, rgb };
}

function draw(kind: Kind, random: Random, out: Uint8Array): void {
  const between = (low: number, high: number) => low + (high - low) * random.float();
  const radius = between(7, 12);
  const [cx, cy] = [between(radius, SIDE - radius), between(radius, SIDE - radius)];
  const turn = rotation(between(-0.5, 0.5));
  const shade = between(0.75, 1.1);
  const colour = kind.rgb.map((value) => value * shade + between(-15, 15));
  const ground = between(35, 135);
  const tint = [between(-20, 20), between(-20, 20), between(-20, 20)];
  const [slopeX, slopeY] = [between(-1.2, 1.2), between(-1.2, 1.2)];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      let covered = 0;
      for (const dy of [0.25, 0.75]) {
        for (const dx of [0.25, 0.75]) {
          const [u, v] = [(x + dx - cx) / radius, (y + dy - cy) / radius];
          if (kind.inside(u * turn.cos - v * turn.sin, u * turn.sin + v * turn.cos)) covered += 0.25;
        }
      }
      const behind = ground + slopeX * (x - SIDE / 2) + slopeY * (y - SIDE / 2);
      for (let c = 0; c < 3; c++) {
        const value = covered * (colour[c] ?? 0) + (1 - covered) * (behind + (tint[c] ?? 0)) + between(-14, 14);
        out[(y * SIDE + x) * 3 + c] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
}

/** A rotation by its half-angle tangent: only + - * /, which round alike everywhere, unlike Math.cos. */
function rotation(t: number): { cos: number; sin: number } {
  const d = 1 + t * t;
  return { cos: (1 - t * t) / d, sin: (2 * t) / d };
}
