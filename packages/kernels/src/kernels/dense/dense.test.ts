/** The dense layer and its gradients against float64, on several tilings; the op's gradients against tfjs-cpu. */
import { describe, expect, test } from 'vitest';
import { expectClose, random, sumBound } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { cases } from './dense.cases.ts';
import { planDense, planDenseBackwardInput, planDenseBackwardWeights } from './dense.plan.ts';
import { denseGradReference, denseReference } from './dense.ref.ts';

const tilings = [{}, { direct: { TM: 8, COLS: 8, SLICES: 1 } }, { direct: { TM: 1, COLS: 16, SLICES: 16 } }];

describe.each(tilings)('tiling %j', (tiling) => {
  test.each(cases)('$name', async ({ shape: s }) => {
    const { rows, inputs, outputs } = s;
    const [x, w, bias] = [random(rows * inputs, 1), random(inputs * outputs, 2), random(outputs, 3)];
    const dy = random(rows * outputs, 4);
    const { y = [] } = await runPlans([planDense(s, gpu.limits, tiling)], { x, w, bias });
    expectClose(y, denseReference(s, x, w, bias), sumBound(inputs + 1));
    const want = denseGradReference(s, x, w, y, dy);
    const given = { x, w, y: Float32Array.from(y), dy };
    const { dx = [] } = await runPlans([planDenseBackwardInput(s, gpu.limits, tiling)], given);
    expectClose(dx, want.dx, sumBound(outputs));
    const { dw = [], dbias = [] } = await runPlans([planDenseBackwardWeights(s, gpu.limits, tiling)], given);
    expectClose(dw, want.dw, sumBound(rows));
    expectClose(dbias, want.dbias, sumBound(rows));
  });
});

test('no rows: nothing is dispatched for x, and the weights get zeros', async () => {
  const s = { rows: 0, inputs: 3, outputs: 2, relu: true };
  expect(planDense(s, gpu.limits).workgroups).toContain(0);
  expect(planDenseBackwardInput(s, gpu.limits).workgroups).toContain(0);
  const none = new Float32Array(0);
  const { dw, dbias } = await runPlans([planDenseBackwardWeights(s, gpu.limits)], { x: none, dy: none, y: none });
  expectClose(dw ?? [], new Float32Array(6), 0);
  expectClose(dbias ?? [], [0, 0], 0);
});

test('a layer without inputs is refused by name', () => {
  expect(() => planDense({ rows: 1, inputs: 0, outputs: 2, relu: false }, gpu.limits)).toThrow(
    /dense: a kernel of \[0, 2\]/,
  );
});
