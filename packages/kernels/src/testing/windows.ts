// Random windows over images, for property tests of convolutions and poolings.
import type * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { size } from './arbitrary.ts';

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
/** What a convolution and a pooling share. */
export const windows = fc.record({
  shape: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), size),
  filter: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  padding: fc.oneof(fc.constantFrom('same' as const, 'valid' as const, 'number' as const), fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2))), // prettier-ignore
});
type Window = typeof windows extends fc.Arbitrary<infer T> ? T : never;

/**
 * Undefined where the window does not fit; one pixel short gives an empty output. Where the padding is a number, tfjs takes
 * the window's height and vertical stride for both directions, so only a square window gets one.
 */
export function padOf({ shape: [, h, w], filter: [kH, kW], strides, padding }: Window, dilation = 1): Pad | undefined {
  if (padding === 'same') return padding;
  const number = Math.min(kH, kW) - 1;
  const [top, bottom, left, right] =
    padding === 'valid' ? [0, 0, 0, 0]
    : padding === 'number' ? [number, number, number, number]
    // A window that lies in the padding as a whole has no average.
    : [padding[0] % kH, padding[1] % kH, padding[2] % kW, padding[3] % kW]; // prettier-ignore
  if (h + top + bottom < (kH - 1) * dilation || w + left + right < (kW - 1) * dilation) return undefined;
  if (padding === 'valid') return padding;
  if (padding === 'number' && kH === kW && strides[0] === strides[1]) return number;
  return [[0, 0], [top, bottom], [left, right], [0, 0]]; // prettier-ignore
}
