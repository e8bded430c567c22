/** Plans of grouped convolutions of images and volumes, and of both gradients. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { planPerElement } from '../per-element.plan.ts';
import type { Window } from '../window.ts';
import backwardFilterSource from './direct-conv-backward-filter.wgsl?raw';
import backwardInputSource from './direct-conv-backward-input.wgsl?raw';
import forwardSource from './direct-conv.wgsl?raw';

export const forwardShader = readShader('direct-conv', forwardSource);
export const backwardInputShader = readShader('direct-conv-backward-input', backwardInputSource);
export const backwardFilterShader = readShader('direct-conv-backward-filter', backwardFilterSource);

/** The filter is [kD, kH, kW, inC / groups, outC]; each group of outputs sees a group of inputs. */
export interface DirectConvShape extends Window {
  readonly inC: number;
  readonly outC: number;
  readonly groups: number;
}

/** What the shaders are told, and the shapes of the tensors as of volumes. */
function geometry({ groups, ...s }: DirectConvShape) {
  const perIn = s.inC / groups;
  return {
    params: { ...s, perIn, perOut: s.outC / groups },
    x: [s.batch, s.inD, s.inH, s.inW, s.inC],
    w: [s.kD, s.kH, s.kW, perIn, s.outC],
    y: [s.batch, s.outD, s.outH, s.outW, s.outC],
  };
}

/** Inputs x, w and maybe bias; output y, of `shape`. */
export function planDirectConv(
  kernel: string,
  s: DirectConvShape,
  shape: readonly number[],
  epilogue: { readonly bias: boolean; readonly relu: boolean },
  limits: Limits,
): Plan {
  const { params, x, w } = geometry(s);
  const { batch: _, ...fields } = params;
  checkBinding(kernel, 'x', x, limits);
  checkBinding(kernel, 'w', w, limits);
  const constants = { HAS_BIAS: Number(epilogue.bias), RELU: Number(epilogue.relu) };
  return planPerElement({ kernel, shader: forwardShader, shape, dtype: 'float32', params: fields, constants }, limits);
}

/** Inputs dy and w; output y, the gradient of x, of `shape`. */
export function planDirectConvBackwardInput(
  kernel: string,
  s: DirectConvShape,
  shape: readonly number[],
  limits: Limits,
): Plan {
  const { params, y, w } = geometry(s);
  const { batch: _, ...fields } = params;
  checkBinding(kernel, 'dy', y, limits);
  checkBinding(kernel, 'w', w, limits);
  return planPerElement({ kernel, shader: backwardInputShader, shape, dtype: 'float32', params: fields }, limits);
}

/** Inputs x and dy; output y, the gradient of the filter, of `shape`. */
export function planDirectConvBackwardFilter(
  kernel: string,
  s: DirectConvShape,
  shape: readonly number[],
  limits: Limits,
): Plan {
  const { params, x, y } = geometry(s);
  checkBinding(kernel, 'x', x, limits);
  checkBinding(kernel, 'dy', y, limits);
  checkBinding(kernel, 'dw', shape, limits);
  const { tunables } = backwardFilterShader;
  const taps = s.kD * s.kH * s.kW;
  const tiles = taps * Math.ceil(elements(shape) / taps / (tunables['COLS'] ?? 1));
  return {
    shader: backwardFilterShader,
    tuning: tunables,
    constants: {},
    params: { tiles, ...params },
    workgroups: foldWorkgroups(kernel, tiles, limits),
    outputs: { y: { shape, dtype: 'float32' } },
  };
}
