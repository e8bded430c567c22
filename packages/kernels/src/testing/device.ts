/** One device for all tests of a file, opened once. Where there is no adapter, every test of the file is skipped. */
import { afterEach, beforeEach } from 'vitest';
import { Gpu } from '../runtime/gpu.ts';
import { planConversion } from '../kernels/precision/precision.plan.ts';
import { elements, type Plan } from '../runtime/plan.ts';
import type { BufferSlice } from '../runtime/slice.ts';
import { fromDevice, toDevice, type HostValues } from '../backend/storage.ts';
import { absentDevice } from './absent-device.ts';
import { noAdapter, openTestDevice } from './adapter.ts';

// Test files plan and list their cases before the first test is skipped, so there is always something to ask for limits.
const { device, takeErrors } = noAdapter
  ? { ...absentDevice(), takeErrors: () => Promise.resolve<string[]>([]) }
  : await openTestDevice();

export const gpu = new Gpu(device);
export { takeErrors };

beforeEach(({ skip }) => {
  if (noAdapter) skip(noAdapter);
});
afterEach(async () => {
  if (!noAdapter) await gpu.queue.settle(0);
});

/** Bits no kernel computes, a NaN in float32 and in both halves: an output element that still holds them was never written. */
const POISON = 0xffb5ffb5;

/**
 * Runs plans one after another on host arrays and reads the outputs of all of them.
 * Outputs are poisoned before, so that an element the kernel leaves out reads as NaN.
 * A later plan may name an earlier plan's output as its input; in-place inputs are returned too.
 * What a plan in float16 stores is narrowed before it and widened after.
 */
export async function runPlans(
  plans: readonly Plan[],
  inputs: Readonly<Record<string, Float32Array | Int32Array | undefined>>,
): Promise<Record<string, HostValues>> {
  const slices = new Map(
    Object.entries(inputs).flatMap(([name, values]) => {
      if (!values) return [];
      const slice = gpu.allocate([values.length]);
      gpu.queue.upload(slice, toDevice(values, values instanceof Float32Array ? 'float32' : 'int32'));
      const isHalf = plans.some(
        ({ shader, precision }) =>
          precision === 'float16' && shader.bindings.some((b) => b.name === name && b.element === 'stored'),
      );
      if (!isHalf) return [[name, slice] as const];
      const half = converted(slice, [values.length], 'float16');
      gpu.release(slice);
      return [[name, half] as const];
    }),
  );
  const results: Record<string, HostValues> = {};
  for (const plan of plans) {
    poisonFreeBuffers(plan);
    const outputs = gpu.run(plan, Object.fromEntries(slices));
    for (const [name, slice] of Object.entries(outputs)) slices.set(name, slice);
  }
  for (const plan of plans)
    for (const [name, { shape, dtype }] of Object.entries(plan.outputs)) {
      const slice = slices.get(name);
      if (!slice) continue;
      const wide = dtype === 'float16' ? converted(slice, shape, 'float32') : slice;
      const type = dtype === 'float16' ? 'float32' : dtype;
      results[name] = fromDevice(await gpu.queue.download(wide), elements(shape), type);
      if (wide !== slice) gpu.release(wide);
    }
  for (const [name, values] of Object.entries(inputs)) {
    const slice = slices.get(name);
    const isInPlace = plans.some((p) => p.shader.bindings.some((b) => b.name === name && b.type === 'read_write'));
    if (values && slice && isInPlace && !(name in results))
      results[name] = fromDevice(
        await gpu.queue.download(slice),
        values.length,
        values instanceof Float32Array ? 'float32' : 'int32',
      );
  }
  for (const slice of slices.values()) gpu.release(slice);
  return results;
}

function converted(x: BufferSlice, shape: readonly number[], to: 'float16' | 'float32'): BufferSlice {
  const { y } = gpu.run(planConversion(shape, to, gpu.limits), { x });
  if (!y) throw new Error('the conversion made nothing');
  return y;
}

/** The pool hands out the most recently freed buffer first: fill one of each output's size with poison and free it. */
function poisonFreeBuffers(plan: Plan): void {
  const slices = Object.values(plan.outputs).map(({ shape, dtype }) => {
    const slice = gpu.allocate(shape, dtype);
    gpu.queue.upload(slice, new Uint32Array(slice.size / 4).fill(POISON));
    return slice;
  });
  for (const slice of slices) gpu.release(slice);
}
