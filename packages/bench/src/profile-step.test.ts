// Where a step's time goes: sums by hand, and the layers of a real step.
import type { DispatchTime } from '@thaw/kernels';
import { expect, test } from 'vitest';
import { medians, profileStep, sumBy, workOfDispatch } from './profile-step.ts';
import { noAdapter, testBackend } from './testing/device.ts';

const backend = testBackend('a profile of a step');
const ceilings = { flops: 1e9, bytesPerSecond: 1e8 };

const dispatch = (kernel: string, milliseconds: number, given: Partial<DispatchTime> = {}): DispatchTime => ({
  kernel,
  from: { layer: 'one', pass: 'forward' },
  params: {},
  tuning: {},
  workgroups: [1, 1, 1],
  bytes: 1e5,
  milliseconds,
  ...given,
});

test('of several steps each dispatch has its median', () => {
  const steps = [[5, 1], [3, 9], [4, 2]].map(([a = 0, b = 0]) => [dispatch('a', a), dispatch('b', b)]); // prettier-ignore
  expect(medians(steps.flat(), 3).map(({ kernel, milliseconds }) => [kernel, milliseconds])).toEqual([
    ['a', 4],
    ['b', 2],
  ]);
  expect(() => medians(steps.flat(), 4)).toThrow('6 dispatches in 4 equal steps');
});

test('operations of convolutions are on pixels inside the image; bytes are those of the tensors', () => {
  const shape = { batch: 2, inH: 4, inW: 4, inC: 3, outH: 4, outW: 4, outC: 5, kH: 3, kW: 3, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1 }; // prettier-ignore
  // 3 taps over 4 pixels with padding 1 leave 10 inside in each dimension.
  const work = { flops: 2 * 2 * 100 * 15, bytes: 1e5 };
  expect(workOfDispatch(dispatch('conv2d-subgroups', 1, { params: { ...shape, rowTiles: 7 } }))).toEqual(work);
  expect(workOfDispatch(dispatch('conv2d-backward-filter', 1, { params: shape }))).toEqual(work);
  expect(workOfDispatch(dispatch('dense', 1, { params: { rows: 2, inputs: 3, outputs: 5 } })).flops).toBe(60);
  expect(workOfDispatch(dispatch('adam', 1))).toEqual({ flops: 0, bytes: 1e5 });
});

test('sums by layer and pass, longest first, with the sum of the floors', () => {
  const list = [
    dispatch('a', 2),
    dispatch('b', 3, { bytes: 2e5 }),
    dispatch('c', 9, { from: { layer: 'one', pass: 'backward' } }),
  ];
  const rows = sumBy(list, ({ from }) => ({ name: from?.layer ?? '', pass: from?.pass }), ceilings);
  expect(rows).toEqual([
    { name: 'one', pass: 'backward', dispatches: 1, milliseconds: 9, floorMilliseconds: 1 },
    { name: 'one', pass: 'forward', dispatches: 2, milliseconds: 5, floorMilliseconds: 3 },
  ]);
});

test.skipIf(noAdapter)('a step of the head: every dispatch is in a layer, and in a kernel', async () => {
  const head = { name: 'head', about: '', part: 'head' as const };
  const { layers, kernels, dispatches, steps } = await profileStep(backend(), head, { imageSize: 32, batchSize: 4, seed: 1, ceilings }); // prettier-ignore
  const names = layers.map(({ name, pass }) => `${name} ${pass ?? ''}`.trim());
  const dense = [0, 1, 2, 3].flatMap((i) => [`head/dense_${i} forward`, `head/dense_${i} backward`]);
  expect([...names].sort()).toEqual([...dense, 'loss forward', 'loss backward', 'metrics', 'optimizer'].sort());
  const count = (rows: typeof layers): number => rows.reduce((sum, { dispatches }) => sum + dispatches, 0);
  expect(count(layers)).toBe(count(kernels));
  expect(dispatches).toHaveLength(count(kernels));
  expect(layers.find(({ name }) => name === 'optimizer')).toMatchObject({ dispatches: 1 });
  expect(steps).toBeGreaterThanOrEqual(3);
});
