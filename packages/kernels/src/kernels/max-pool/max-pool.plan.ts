/** Plans of max-pooling and its gradient. */
import { checkBinding, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import type { Precision, Shader } from '../../wgsl/shader.ts';
import { readWidths, type Widths } from '../../wgsl/widen.ts';
import backwardSource from './max-pool-backward.wgsl?raw';
import tapsSource from './max-pool-taps.wgsl?raw';
import forwardSource from './max-pool.wgsl?raw';

const forwardShaders = readWidths('max-pool', forwardSource);
const tapsShaders = readWidths('max-pool-taps', tapsSource);
const backwardShaders = readWidths('max-pool-backward', backwardSource);

/** Four channels are work enough for a thread. */
const WIDE: Tuning = { PER_THREAD: 1 };
/** Four channels to a thread where no tiling asks for one, and the channels are fours. */
const chosen = ({ narrow, wide }: Widths, channels: number, tuning: Tuning) =>
  channels % 4 === 0 && Object.keys(tuning).length === 0
    ? { shader: wide, tuning: WIDE, perThread: 4 }
    : { shader: narrow, tuning, perThread: 1 };

export interface PoolShape {
  readonly batch: number;
  readonly channels: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * A plan whose threads make PER_THREAD elements (one, where the shader has no such constant) of its output, which is named and
 * shaped here.
 * @param how channels of an element, and the name in messages
 */
export function planPool(
  shader: Shader,
  { batch, ...s }: PoolShape,
  output: 'y' | 'dx',
  limits: Limits,
  tuning: Tuning = {},
  precision: Precision = 'float32',
  how: { channels?: number; kernel?: string } = {},
): Plan {
  const { channels = 1, kernel = shader.name } = how;
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const shape = output === 'y' ? [batch, s.outH, s.outW, s.channels] : [batch, s.inH, s.inW, s.channels];
  checkBinding(kernel, 'x', [batch, s.inH, s.inW, s.channels], limits, precision);
  checkBinding(kernel, output, shape, limits, precision);
  const size = shape.reduce((product, d) => product * d, 1) / channels;
  return {
    shader,
    tuning: tuned,
    constants: {},
    params: { size, ...s, channels: s.channels / channels },
    precision,
    workgroups: foldWorkgroups(kernel, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: { [output]: { shape, dtype: precision } },
  };
}

/** Input x; output y. Without a tuning four channels to a thread, where they are fours. */
export function planMaxPool(s: PoolShape, limits: Limits, given: Tuning = {}, precision?: Precision): Plan {
  const { shader, tuning, perThread } = chosen(forwardShaders, s.channels, given);
  return planPool(shader, s, 'y', limits, tuning, precision, {
    channels: perThread,
    kernel: forwardShaders.narrow.name,
  });
}

/** A plan whose threads have one channel of PER_THREAD pixels of the output in a row. */
function planRuns(
  shaders: Widths,
  output: string,
  [batch, height, width, channels]: readonly [number, number, number, number],
  dtype: DeviceType,
  limits: Limits,
  given: Tuning,
): Pick<Plan, 'shader' | 'tuning' | 'workgroups' | 'outputs'> & { readonly pixels: number; readonly channels: number } {
  const { shader, tuning, perThread } = chosen(shaders, channels, given);
  const { name } = shaders.narrow;
  const shape = [batch, height, width, channels];
  checkBinding(name, output, shape, limits, dtype);
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  const pixels = batch * height * width;
  const threads = Math.ceil(pixels / PER_THREAD) * (channels / perThread);
  return {
    shader,
    tuning: tuned,
    workgroups: foldWorkgroups(name, Math.ceil(threads / THREADS), limits),
    outputs: { [output]: { shape, dtype } },
    pixels,
    channels: channels / perThread,
  };
}

/**
 * Inputs x and dy; outputs taps, which of each window's pixels was kept (a whole number, counted in rows from its top left),
 * and dx.
 */
export function planMaxPoolBackward(
  { batch, ...s }: PoolShape,
  limits: Limits,
  tuning: Tuning = {},
  precision: Precision = 'float32',
): [taps: Plan, dx: Plan] {
  const { channels, strideH, strideW, dilationH, dilationW, ...geometry } = s;
  checkBinding(tapsShaders.narrow.name, 'x', [batch, s.inH, s.inW, channels], limits, precision);
  const outputs = [batch, s.outH, s.outW, channels] as const;
  const inputs = [batch, s.inH, s.inW, channels] as const;
  const {
    pixels: windows,
    channels: tapChannels,
    ...taps
  } = planRuns(tapsShaders, 'taps', outputs, 'int32', limits, tuning);
  const { pixels, channels: dxChannels, ...dx } = planRuns(backwardShaders, 'dx', inputs, precision, limits, tuning);
  return [
    { ...taps, precision, constants: {}, params: { pixels: windows, ...s, channels: tapChannels } },
    {
      ...dx,
      precision,
      constants: { STRIDE_H: strideH, STRIDE_W: strideW, DILATION_H: dilationH, DILATION_W: dilationW },
      params: { pixels, channels: dxChannels, ...geometry },
    },
  ];
}
