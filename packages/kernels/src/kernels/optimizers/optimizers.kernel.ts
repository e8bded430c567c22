/**
 * 'ThawAdam': inputs value, gradient, m, v, rates [2], or [3] with scaling [4]?; outputs [value, m, v].
 * 'ThawSgd': inputs value, gradient, rates [1 or more], velocity?, scaling [4]?; outputs [value] or [value, velocity].
 * 'ThawAccumulate': inputs sum, x; attributes scale, anew; output [sum].
 * 'ThawMovingAverage': inputs average, x, rates [1]; output [average].
 * 'ThawSwap': inputs a, b; outputs [a, b], each with the other's values.
 * The outputs are the inputs' own storage, changed in place, unless another tensor shares it: then a copy is changed, so
 * that a clone somebody kept (the best weights so far) never moves.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { allChangeable, changeable } from '../../backend/in-place.ts';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import {
  planAccumulate,
  planAdam,
  planMovingAverage,
  planSgd,
  planSgdPlain,
  planSwap,
  type AdamSettings,
  type SgdSettings,
} from './optimizers.plan.ts';

const targetOf = ({ gpu }: ThawBackend) => ({ limits: gpu.limits, tuning: gpu.tiling('elementwise').direct });

/** Rates stand in for an absent scaling: dispatches that share all but their tensors become one. */
const scalingOf = (rates: TensorInfo, scaling: TensorInfo | undefined) => ({
  scaling: scaling ?? rates,
  scaled: scaling !== undefined,
});

const adam = defineKernel('ThawAdam', ({ backend, input, optional, attrs }) => {
  const gradient = input('gradient');
  const given = [input('value'), input('m'), input('v')] as const;
  given.forEach((tensor, i) => {
    checkShape('ThawAdam', ['value', 'm', 'v'][i] ?? '', tensor, gradient.shape);
  });
  const { scaling, scaled } = scalingOf(input('rates'), optional('scaling'));
  const plan = planAdam(gradient.shape, { ...attrs<AdamSettings>(), scaled }, targetOf(backend));
  const [value, m, v] = allChangeable(backend, given);
  backend.run(plan, { gradient, rates: input('rates'), value, m, v, scaling });
  return [value, m, v];
});

const sgd = defineKernel('ThawSgd', ({ backend, input, optional, attrs }) => {
  const [gradient, rates] = [input('gradient'), input('rates')];
  const { scaling, scaled } = scalingOf(rates, optional('scaling'));
  const settings = { ...attrs<SgdSettings>(), scaled };
  const [before, velocityBefore] = [input('value'), optional('velocity')];
  const target = targetOf(backend);
  checkShape('ThawSgd', 'value', before, gradient.shape);
  checkShape('ThawSgd', 'velocity', velocityBefore, gradient.shape);
  if (!velocityBefore) {
    if (settings.momentum !== 0) throw new Error(`ThawSgd: momentum ${settings.momentum} needs a velocity`);
    const value = changeable(backend, before);
    backend.run(planSgdPlain(gradient.shape, settings, target), { gradient, rates, value, scaling });
    return [value];
  }
  const plan = planSgd(gradient.shape, settings, target);
  const [value, velocity] = allChangeable(backend, [before, velocityBefore] as const);
  backend.run(plan, { gradient, rates, value, velocity, scaling });
  return [value, velocity];
});

const accumulate = defineKernel('ThawAccumulate', ({ backend, input, attrs }) => {
  const [x, before] = [input('x'), input('sum')];
  checkShape('ThawAccumulate', 'x', x, before.shape);
  const sum = changeable(backend, before);
  const { scale, anew = false } = attrs<{ scale: number; anew?: boolean }>();
  backend.run(planAccumulate(x.shape, scale, anew, targetOf(backend)), { x, sum });
  return [sum];
});

const movingAverage = defineKernel('ThawMovingAverage', ({ backend, input }) => {
  const [x, before] = [input('x'), input('average')];
  checkShape('ThawMovingAverage', 'x', x, before.shape);
  const average = changeable(backend, before);
  backend.run(planMovingAverage(x.shape, targetOf(backend)), { x, rates: input('rates'), average });
  return [average];
});

const swap = defineKernel('ThawSwap', ({ backend, input }) => {
  checkShape('ThawSwap', 'b', input('b'), input('a').shape);
  const [a, b] = allChangeable(backend, [input('a'), input('b')] as const);
  backend.run(planSwap(a.shape, targetOf(backend)), { a, b });
  return [a, b];
});

export const optimizerKernels = [adam, sgd, accumulate, movingAverage, swap];
