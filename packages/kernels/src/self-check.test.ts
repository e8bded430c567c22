// The checks of `thaw doctor`, and what becomes of a matrix unit that passes them, computes wrongly, or does not compile.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ThawBackend } from './backend/thaw-backend.ts';
import type { Plan } from './runtime/plan.ts';
import { checkMatrixUnit, selfCheck, verifyMatrixUnit } from './self-check.ts';
import { gpu } from './testing/device.ts';
import { emulateMatrices } from './testing/emulate-matrices.ts';
import { hasHalf } from './testing/precisions.ts';
import type { Tilings } from './tuning/tilings.ts';

const matrix = [{ M: 16, N: 16, K: 16, LANES: 32, TM: 1, TN: 1, ROWS: 2, COLS: 2, DEPTH: 16 }];
const tilings: Tilings = { conv2d: { matrix, workgroups: 2 } };
afterEach(() => void vi.restoreAllMocks());

/** A backend whose tiling names a matrix unit, which the device has not; `change` is what its shaders become. */
function withUnit(change: (plan: Plan) => Plan = (plan) => plan): ThawBackend {
  const backend = new ThawBackend(gpu.device, { tilings });
  const { pipelines } = backend.gpu;
  const get = pipelines.get.bind(pipelines);
  vi.spyOn(pipelines, 'get').mockImplementation((plan) => get(change(plan)));
  return backend;
}
const emulated = (change: (code: string) => string) => (plan: Plan) => {
  if (!plan.shader.name.endsWith('-matrix')) return plan;
  const shader = emulateMatrices(plan.shader);
  const source = change(shader.source);
  // A device keeps its pipelines by the shader's name, which stands for one text.
  const name = source === shader.source ? shader.name : `${shader.name}-changed`;
  return { ...plan, shader: { ...shader, name, source } };
};

test('convolutions in float32, and stored in float16 where the device has that', async () => {
  const results = await selfCheck(new ThawBackend(gpu.device));
  expect(results.map(({ ok }) => ok)).toEqual(Array.from({ length: hasHalf ? 6 : 3 }, () => true));
  // Sums in float32 are not exact: the reference is in float64.
  for (const { maxError } of results.slice(0, 3)) expect(maxError).toBeGreaterThan(0);
});

test('a device without a matrix unit has nothing to check', async () => {
  const backend = new ThawBackend(gpu.device, { tilings: {} });
  expect(await checkMatrixUnit(backend)).toEqual([]);
  expect(await verifyMatrixUnit(backend)).toBeUndefined();
});

describe.skipIf(!hasHalf)(`a matrix unit${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  test('that passes is kept', async () => {
    const backend = withUnit(emulated((code) => code));
    const results = await checkMatrixUnit(backend);
    expect(results.map(({ name }) => name)).toEqual([
      'matrix unit, tile 32 x 32, forward',
      'matrix unit, tile 32 x 32, backward, input',
      'matrix unit, tile 32 x 32, backward, filter',
    ]);
    expect(await verifyMatrixUnit(backend)).toBeUndefined();
    expect(backend.gpu.tiling('conv2d')).toEqual(tilings.conv2d);
  });

  test('that computes wrongly is left alone', async () => {
    const backend = withUnit(emulated((code) => code.replace('k < K;', 'k < K - 1u;')));
    backend.gpu.choose('conv2d', 'some shape', { variant: 'matrix', tuning: matrix[0]! });
    expect(await verifyMatrixUnit(backend)).toMatch(
      /^The matrix units of this device are left alone, as a check failed: matrix unit, tile 32 x 32, forward is off by \d\.\de\+?-?\d, allowed is \d\.\de-\d/,
    );
    expect(backend.gpu.kind.matrixUnit).toBeUndefined();
    expect(backend.gpu.tiling('conv2d')).toEqual({ workgroups: 2 });
    expect(backend.gpu.tiling('conv2d', 'some shape')).toEqual({ workgroups: 2 });
  });

  test('whose shaders do not compile is left alone, and the next read is none the worse for it', async () => {
    // On a device that has a unit of its own they would.
    const backend = withUnit((plan) =>
      plan.shader.name.endsWith('-matrix')
        ? {
            ...plan,
            shader: { ...plan.shader, name: `${plan.shader.name}-broken`, source: `${plan.shader.source}broken` },
          }
        : plan,
    );
    expect(await verifyMatrixUnit(backend)).toContain('-matrix-broken.wgsl');
    expect(backend.gpu.tiling('conv2d')).toEqual({ workgroups: 2 });
    expect((await selfCheck(backend)).every(({ ok }) => ok)).toBe(true);
  });
});
