// Mixed images: each image of a batch with its partner in the same batch, the labels in the same proportion. What is drawn follows
// from seed and step alone.
//
//   mixup    x' = (1 - s) x + s partner, s from Beta(a, a)
//            (Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018)
//   cutmix   a rectangle of the partner's pixels in x's place, of the share s of the area, s from Beta(a, a), centred anywhere and
//            cut off at the edges, after which s is what is left of it (Yun et al., "CutMix", 2019)
//
// Both are one formula, x' = x + m (partner - x) with a mask m of pixels: s everywhere, or 1 in the rectangle and 0 outside. The
// loss is (1 - s) that of x's label + s that of the partner's: the cross-entropy against the mixed target, as it is linear in it.
import { assignValues } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { uniformNumbers } from '../weights/random.ts';
import type { InputFormat } from './batch-input.ts';

/** How images are mixed. */
export interface MixRules {
  /** Parameter of mixup's distribution, in [0, 1]; 0 for none. */
  readonly mixup: number;
  /** Of cutmix's; where both are above 0 each step takes one, as a coin falls. */
  readonly cutmix: number;
  /** Of all steps of the run. */
  readonly seed: number;
}

/** What is mixed in one step. */
export interface Mix {
  /** [size]: which image of the batch each is mixed with; a permutation. */
  readonly partner: Int32Array;
  /** [side, side]: how much of the partner a pixel has, in [0, 1]. */
  readonly mask: Float32Array;
  /** Mean of the mask: how much of the partner's label counts. */
  readonly share: number;
}

/** The same, on the device. */
export interface MixTensors {
  /** int32 [size] */
  readonly partner: tf.Tensor1D;
  /** [1, side, side, 1] */
  readonly mask: tf.Tensor4D;
  /** [1] */
  readonly share: tf.Tensor1D;
}

/** @throws where a parameter is outside [0, 1] */
export function checkMixRules({ mixup, cutmix }: MixRules): void {
  for (const [name, value] of Object.entries({ mixup, cutmix }))
    if (!(value >= 0 && value <= 1)) throw new Error(`${name}: its parameter must be in [0, 1], got ${value}.`);
}

/** Whether anything is mixed. */
export const mixes = (rules: MixRules | undefined): rules is MixRules =>
  rules !== undefined && (rules.mixup > 0 || rules.cutmix > 0);

/** Side of the images that a step sees, where it mixes any: kept features are not mixed. */
export function mixedSide(rules: MixRules | undefined, { shape, views }: InputFormat): number | undefined {
  return mixes(rules) && shape.length === 3 ? (views?.side ?? shape[0]) : undefined;
}

/** What a step of this format mixes, if anything; as mixOf. */
export function mixForStep(
  rules: MixRules | undefined,
  format: InputFormat,
  step: number,
  size: number,
): Mix | undefined {
  const side = mixedSide(rules, format);
  return rules && side !== undefined ? mixOf(rules, step, size, side) : undefined;
}

/** What a step mixes. @param step its number in the run @param size images of the batch @param side of the images, pixels */
export function mixOf({ mixup, cutmix, seed }: MixRules, step: number, size: number, side: number): Mix {
  // Seeds of neighbouring runs and steps are far apart: an odd multiplier keeps 2^32 steps distinct.
  const uniform = uniformNumbers((Math.imul(seed, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0);
  const isCut = mixup === 0 || (cutmix > 0 && uniform() < 0.5);
  const share = beta(isCut ? cutmix : mixup, uniform);
  const partner = Int32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    const swapped = partner[j] ?? 0;
    partner[j] = partner[i] ?? 0;
    partner[i] = swapped;
  }
  const mask = new Float32Array(side * side);
  if (!isCut) return { partner, mask: mask.fill(share), share: Math.fround(share) };
  const half = (side * Math.sqrt(share)) / 2;
  const [x, y] = [uniform() * side, uniform() * side];
  const [left, right] = edges(x, half, side);
  const [top, bottom] = edges(y, half, side);
  for (let row = top; row < bottom; row++) mask.fill(1, row * side + left, row * side + right);
  return { partner, mask, share: ((right - left) * (bottom - top)) / side ** 2 };
}

const edges = (centre: number, half: number, side: number): [from: number, to: number] => [
  Math.max(0, Math.round(centre - half)),
  Math.min(side, Math.round(centre + half)),
];

/** A value of Beta(a, a), 0 < a <= 1 (Jöhnk 1964: of two powers of uniform numbers that add up to at most 1, the first's share). */
function beta(a: number, uniform: () => number): number {
  for (;;) {
    const x = uniform() ** (1 / a);
    const y = uniform() ** (1 / a);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

/** Images with their partners in them. @param x [size, side, side, channels] */
export function mixImages<T extends tf.Tensor>(x: T, { partner, mask }: MixTensors): T {
  return tf.tidy(() => tf.add<T>(x, tf.mul(mask, tf.sub(tf.gather(x, partner), x))));
}

/** Losses of the images against their mixed targets. @param lossOf losses [size] against labels int32 [size] */
export function mixLosses(
  labels: tf.Tensor1D,
  { partner, share }: MixTensors,
  lossOf: (labels: tf.Tensor1D) => tf.Tensor1D,
): tf.Tensor1D {
  const own = lossOf(labels);
  return tf.add(own, tf.mul(share, tf.sub(lossOf(tf.gather(labels, partner)), own)));
}

/** Tensors of a step, the caller's to dispose. */
export function mixTensors({ partner, mask, share }: Mix): MixTensors {
  const side = Math.sqrt(mask.length);
  return {
    partner: tf.tensor1d(partner, 'int32'),
    mask: tf.tensor4d(mask, [1, side, side, 1]),
    share: tf.tensor1d([share]),
  };
}

/** A place on the device for what steps of one batch size mix, which a captured step reads. */
export class MixPlace {
  readonly tensors: { readonly [Name in keyof MixTensors]: MixTensors[Name] & tf.Variable };

  constructor(size: number, side: number) {
    const initial = mixTensors({ partner: new Int32Array(size), mask: new Float32Array(side * side), share: 0 });
    const place = <R extends tf.Rank>(tensor: tf.Tensor<R>): tf.Variable<R> => tf.variable(tensor, false);
    this.tensors = { partner: place(initial.partner), mask: place(initial.mask), share: place(initial.share) };
    tf.dispose([initial.partner, initial.mask, initial.share]);
  }

  set({ partner, mask, share }: Mix): void {
    assignValues(this.tensors.partner, partner);
    assignValues(this.tensors.mask, mask);
    assignValues(this.tensors.share, Float32Array.of(share));
  }

  dispose(): void {
    tf.dispose([this.tensors.partner, this.tensors.mask, this.tensors.share]);
  }
}
