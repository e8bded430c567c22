/** The dense layer and its gradients against float64; gradients/fused-gradients.test.ts holds the tape against tfjs-cpu. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { dense } from '../../ops/index.ts';
import { expectClose, random, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { cases } from './dense.cases.ts';
import { planDenseBackwardInput, planDenseBackwardWeights } from './dense.plan.ts';
import { denseGradReference, denseReference } from './dense.ref.ts';

beforeAll(async () => {
  register(gpu.device);
  await tf.setBackend('thaw');
});

test.each(cases)('layer: $name', async ({ shape: { rows, inputs, outputs, relu } }) => {
  const [x, w, bias] = [random(rows * inputs, 1), random(inputs * outputs, 2), random(outputs, 3)];
  const y = dense(tf.tensor2d(x, [rows, inputs]), tf.tensor2d(w, [inputs, outputs]), tf.tensor1d(bias), { relu });
  expect(y.shape).toEqual([rows, outputs]);
  expectClose(await y.data(), denseReference({ rows, inputs, outputs, relu }, x, w, bias), sumBound(inputs + 1));
});

const tilings = [{}, { direct: { TM: 8, COLS: 8 } }, { direct: { TM: 1, COLS: 16 } }];

describe.each(tilings)('tiling %j', (tiling) => {
  test.each(cases)('gradients: $name', async ({ shape: s }) => {
    const { rows, inputs, outputs } = s;
    const [x, w, bias] = [random(rows * inputs, 1), random(inputs * outputs, 2), random(outputs, 3)];
    const dy = random(rows * outputs, 4);
    const y = Float32Array.from(denseReference(s, x, w, bias));
    const want = denseGradReference(s, x, w, y, dy);
    const given = { x, w, y, dy };
    const { dx = [] } = await runPlans([planDenseBackwardInput(s, gpu.limits, tiling)], given);
    expectClose(dx, want.dx, sumBound(outputs));
    const { dw = [], dbias = [] } = await runPlans([planDenseBackwardWeights(s, gpu.limits, tiling)], given);
    expectClose(dw, want.dw, sumBound(rows));
    expectClose(dbias, want.dbias, sumBound(rows));
  });
});

test('no rows: an empty layer, nothing dispatched for x, and zeros for the weights', async () => {
  const s = { rows: 0, inputs: 3, outputs: 2, relu: true };
  expect(dense(tf.zeros([0, 3]), tf.zeros([3, 2]), tf.zeros([2])).shape).toEqual([0, 2]);
  expect(planDenseBackwardInput(s, gpu.limits).workgroups).toContain(0);
  const none = new Float32Array(0);
  const { dw, dbias } = await runPlans([planDenseBackwardWeights(s, gpu.limits)], { x: none, dy: none, y: none });
  expectClose(dw ?? [], new Float32Array(6), 0);
  expectClose(dbias ?? [], [0, 0], 0);
});

test('a layer without inputs is refused by name', () => {
  const s = { rows: 1, inputs: 0, outputs: 2, relu: false };
  expect(() => planDenseBackwardInput(s, gpu.limits)).toThrow(/dense: a kernel of \[0, 2\]/);
});
