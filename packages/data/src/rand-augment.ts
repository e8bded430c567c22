// RandAugment (Cubuk, Zoph, Shlens and Le, "RandAugment: Practical automated data augmentation with a reduced search space", 2020):
// two operations of fourteen, drawn evenly, at magnitude 9 of 30 as torchvision's `RandAugment` has them. Those that move pixels
// become part of a view, which the device looks through (beyond an image's edges it goes on mirrored, where torchvision has
// black); those that change colours change the image's bytes.
import { TONES, type Tone, type TonedImage } from './tones.ts';

/** The operations, in torchvision's order. */
export const RAND_OPERATIONS = [
  'identity', 'shear-x', 'shear-y', 'translate-x', 'translate-y', 'rotate', 'brightness', 'saturation', 'contrast', 'sharpness',
  'posterize', 'solarize', 'autocontrast', 'equalize',
] as const; // prettier-ignore
/** The name of an operation. */
export type RandOperation = (typeof RAND_OPERATIONS)[number];

/** An operation as it was drawn. */
export interface DrawnOperation {
  /** Which. */
  readonly name: RandOperation;
  /** A slope, a share of the view, radians, a factor, a number of bits, or a threshold. */
  readonly amount: number;
}

/** Of 30, as torchvision's default of 9 among 31 bins. */
const MAGNITUDE = 9 / 30;

/** @param sign -1 or 1: which way, and whether a colour is weakened or strengthened */
function amountOf(name: RandOperation, sign: number): number {
  switch (name) {
    case 'shear-x':
    case 'shear-y':
      return sign * 0.3 * MAGNITUDE;
    case 'translate-x':
    case 'translate-y':
      return sign * (150 / 331) * MAGNITUDE;
    case 'rotate':
      return (sign * 30 * MAGNITUDE * Math.PI) / 180;
    case 'brightness':
    case 'saturation':
    case 'contrast':
    case 'sharpness':
      return 1 + sign * 0.9 * MAGNITUDE;
    case 'posterize':
      return 8 - Math.round(4 * MAGNITUDE);
    case 'solarize':
      return 255 * (1 - MAGNITUDE);
    case 'identity':
    case 'autocontrast':
    case 'equalize':
      return 0;
    default:
      return name satisfies never;
  }
}

/** Two operations. @param draws uniform in [0, 1) */
export function drawOperations([a, b, c, d]: readonly [
  number,
  number,
  number,
  number,
  ...unknown[],
]): DrawnOperation[] {
  return [[a, b] as const, [c, d] as const].map(([which, sign]) => {
    const name = RAND_OPERATIONS[Math.floor(which * RAND_OPERATIONS.length)] ?? 'identity';
    return { name, amount: amountOf(name, sign < 0.5 ? -1 : 1) };
  });
}

/** Where a view looks: pixels of the image at its corner, and what they grow by across it and down. */
export interface Window {
  /** Left edge; at x1 the right one, at y0 and y1 the upper and the lower. */
  readonly x0: number;
  /** Right edge. */
  readonly x1: number;
  /** Upper edge. */
  readonly y0: number;
  /** Lower edge. */
  readonly y1: number;
  /** Pixels to the right from the top of the view to its bottom. */
  readonly shearX: number;
  /** Pixels down from its left to its right. */
  readonly shearY: number;
}

/** A view's (across, down), each from 0 to 1, comes from the one before at (xx across + xy down + x, yx across + yy down + y). */
interface Affine {
  readonly xx: number;
  readonly xy: number;
  readonly x: number;
  readonly yx: number;
  readonly yy: number;
  readonly y: number;
}

const STILL: Affine = { xx: 1, xy: 0, x: 0, yx: 0, yy: 1, y: 0 };

/** @param side of the view, in pixels; moves are by whole ones */
function affineOf({ name, amount }: DrawnOperation, side: number): Affine | undefined {
  switch (name) {
    // About the upper left corner.
    case 'shear-x':
      return { ...STILL, xy: amount };
    case 'shear-y':
      return { ...STILL, yx: amount };
    case 'translate-x':
      return { ...STILL, x: Math.trunc(amount * side) / side };
    case 'translate-y':
      return { ...STILL, y: Math.trunc(amount * side) / side };
    // About the middle.
    case 'rotate': {
      const [cos, sin] = [Math.cos(amount), Math.sin(amount)];
      return { xx: cos, xy: -sin, x: (1 - cos + sin) / 2, yx: sin, yy: cos, y: (1 - cos - sin) / 2 };
    }
    default:
      return undefined;
  }
}

/** A window after operations that move pixels; others leave it. */
export function movedWindow(window: Window, operations: readonly DrawnOperation[], side: number): Window {
  return operations.reduce<Window>((before, operation) => {
    const affine = affineOf(operation, side);
    return affine ? through(before, affine) : before;
  }, window);
}

function through({ x0, x1, y0, y1, shearX, shearY }: Window, { xx, xy, x, yx, yy, y }: Affine): Window {
  const [across, down] = [x1 - x0, y1 - y0];
  const [left, top] = [x0 + across * x + shearX * y, y0 + down * y + shearY * x];
  return {
    x0: left,
    x1: left + across * xx + shearX * yx,
    y0: top,
    y1: top + down * yy + shearY * xy,
    shearX: across * xy + shearX * yy,
    shearY: down * yx + shearY * xx,
  };
}

/** Changes an image's colours in place by the operations that do; others leave it. */
export function retone(image: TonedImage, operations: readonly DrawnOperation[]): void {
  for (const { name, amount } of operations) if (isTone(name)) TONES[name](image, amount);
}

const isTone = (name: RandOperation): name is Tone & RandOperation => Object.hasOwn(TONES, name);
