// Order, failures and loss: what an awaited read tells, on plans of the elementwise kernels.
import { expect, test } from 'vitest';
import { planFill, planUnary } from '../kernels/elementwise/elementwise.plan.ts';
import { absentDevice } from '../testing/absent-device.ts';
import { openTestDevice } from '../testing/adapter.ts';
import { gpu } from '../testing/device.ts';
import { readShader } from '../wgsl/shader.ts';
import { DeviceLostError, ShaderError } from './errors.ts';
import { Gpu } from './gpu.ts';
import type { Plan } from './plan.ts';
import { CommandQueue } from './queue.ts';
import type { BufferSlice } from './slice.ts';

const SIZE = 100;
const fill = (value: number): Plan => planFill([SIZE], value, 'float32', gpu.limits);
const negate = (): Plan => planUnary('Neg', [SIZE], gpu.limits);

function output(on: Gpu, plan: Plan, inputs: Record<string, BufferSlice> = {}): BufferSlice {
  const [slice] = Object.values(on.run(plan, inputs));
  if (!slice) throw new Error('the plan has no output');
  return slice;
}
/** The first and the last element. */
async function ends(on: Gpu, slice: BufferSlice): Promise<number[]> {
  const values = new Float32Array(await on.queue.download(slice));
  return [values[0]!, values[SIZE - 1]!];
}
/** More workgroups in one dimension than the device allows. */
const invalid = (): Plan => ({ ...fill(1), workgroups: [gpu.limits.maxComputeWorkgroupsPerDimension + 1, 1, 1] });

test.each(['compiling', 'compiled'])(
  'uploads, dispatches and reads keep their order with pipelines %s',
  async (state) => {
    // A fresh runtime compiles anew, so that everything below waits in the queue; a used one submits at once.
    const runtime = state === 'compiled' ? gpu : new Gpu(gpu.device);
    if (state === 'compiled') await runtime.queue.download(output(runtime, negate(), { x: output(runtime, fill(0)) }));
    const x = runtime.allocate([SIZE]);
    const data = new Float32Array(SIZE).fill(1);
    runtime.queue.upload(x, data);
    const first = output(runtime, negate(), { x });
    data.fill(2);
    runtime.queue.upload(x, data);
    data.fill(9);
    const second = output(runtime, negate(), { x });
    const read = ends(runtime, x);
    runtime.queue.upload(x, data.fill(3));
    const third = output(runtime, negate(), { x });
    expect(await Promise.all([ends(runtime, first), ends(runtime, second), ends(runtime, third), read])).toEqual([
      [-1, -1],
      [-2, -2],
      [-3, -3],
      [2, 2],
    ]);
  },
);

test('a thousand dispatches: more than a batch, and every parameter is its own', async () => {
  const slices = Array.from({ length: 1000 }, (_, i) => output(gpu, fill(i)));
  const values = await Promise.all([0, 255, 256, 257, 511, 512, 999].map((i) => ends(gpu, slices[i]!)));
  expect(values.map(([first]) => first)).toEqual([0, 255, 256, 257, 511, 512, 999]);
  for (const slice of slices) gpu.release(slice);
});

test("an invalid dispatch rejects the next awaited read with the kernel's name, once; later reads work", async () => {
  // Among others in its batch.
  const before = output(gpu, negate(), { x: output(gpu, fill(1)) });
  const slice = output(gpu, { ...negate(), workgroups: invalid().workgroups }, { x: before });
  output(gpu, fill(2));
  await expect(gpu.queue.download(slice)).rejects.toThrow(/^unary: .*workgroup count/);
  expect(await ends(gpu, output(gpu, fill(5)))).toEqual([5, 5]);
  await gpu.queue.settle(0);
});

test('an invalid dispatch rejects settle(), too', async () => {
  output(gpu, invalid());
  await expect(gpu.queue.settle(0)).rejects.toThrow(/fill/);
  await gpu.queue.settle(0);
});

test('a shader that does not compile rejects the next read, and everything recorded with it; later reads work', async () => {
  const shader = readShader('broken', '@group(0) @binding(0) var<storage, read_write> y: array<f32>;\nfn oops( {}\n');
  const plan: Plan = { ...fill(1), shader, tuning: {}, params: {} };
  const after = [output(gpu, plan), output(gpu, fill(2))];
  const error = await gpu.queue.download(after[1]!).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ShaderError);
  expect((error as Error).message).toMatch(/^broken\.wgsl:2/);
  expect(await ends(gpu, output(gpu, fill(6)))).toEqual([6, 6]);
});

test('a buffer that is not given is named', () => {
  expect(() => gpu.run(negate(), {})).toThrow("unary: no buffer was given for 'x'");
});

test('a lost device rejects pending and later reads, and says what to do', async () => {
  const { device } = await openTestDevice();
  const runtime = new Gpu(device);
  const slice = output(runtime, fill(1));
  expect(await ends(runtime, slice)).toEqual([1, 1]);
  const pending = [runtime.queue.download(slice), runtime.queue.download(output(runtime, negate(), { x: slice })), runtime.queue.settle(0)]; // prettier-ignore
  device.destroy();
  const later = async () => runtime.queue.download(output(runtime, fill(2)));
  const errors = await Promise.all([...pending, later(), later()].map((p) => p.catch((e: unknown) => e)));
  for (const error of errors) {
    expect(error).toBeInstanceOf(DeviceLostError);
    expect((error as Error).message).toMatch(/the WebGPU device was lost \(destroyed\).*Open a new device and resume/s);
  }
  await expect(later()).rejects.toBeInstanceOf(DeviceLostError);
});

test('settle(n) returns while at most n steps are unfinished, and waits for the oldest beyond that', async () => {
  const finish: (() => void)[] = [];
  const { device } = absentDevice();
  const queue = { onSubmittedWorkDone: () => new Promise<undefined>((done) => finish.push(() => done(undefined))) };
  const steps = new CommandQueue(Object.assign(device, { queue: queue as GPUQueue }));
  const log: string[] = [];
  const step = (name: string) => steps.settle(2).then(() => log.push(name));
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  await step('first');
  await step('second');
  const third = step('third');
  await settled();
  expect(log).toEqual(['first', 'second']);
  finish[0]!();
  await third;
  const all = steps.settle(0).then(() => log.push('all'));
  finish[1]!();
  finish[2]!();
  await settled();
  expect(log).toEqual(['first', 'second', 'third']);
  finish[3]!();
  await all;
});
