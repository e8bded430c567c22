// What a device does at most: float32 operations on registers, and bytes of a copy. The best of several rounds, as a ceiling.
import type { Ceilings } from '../measure/statistics.ts';
import arithmeticSource from './arithmetic.wgsl?raw';
import copySource from './copy.wgsl?raw';

const ROUNDS = 5;
/** A round is at least this long, well above the cost of waiting for the device. */
const ROUND_MS = 40;
/** Of each of the copy's buffers: beyond the caches of the devices at hand, and within what WebGPU binds. */
const COPY_BYTES = 2 ** 26;
/** As in arithmetic.wgsl. */
const FLOPS_OF_THREAD = 1024 * 3 * 4 * 2;
const ARITHMETIC_THREADS = 2 ** 16;
/** Workgroups that suit a processor's vectors and those that suit a GPU; the best of them is the ceiling. */
const SHAPES = [
  { THREADS: 8, PER_THREAD: 64 },
  { THREADS: 64, PER_THREAD: 8 },
  { THREADS: 256, PER_THREAD: 4 },
];

type Wait = <T>(work: Promise<T>) => Promise<T>;

// Values of the WebGPU specification; Node has no global GPUBufferUsage.
const STORAGE = 0x80;

/**
 * Measures how fast the device multiplies and adds, and how fast it copies, at best. Takes a second or two.
 * @param wait how this program waits for the device: `waiterOf` of @thaw/kernels/node in Node
 */
export async function measureCeilings(device: GPUDevice, wait: Wait = (work) => work): Promise<Ceilings> {
  const buffers = [COPY_BYTES, COPY_BYTES, 16 * 1024].map((size) => device.createBuffer({ size, usage: STORAGE }));
  const [x, y, sums] = buffers;
  if (!x || !y || !sums) throw new Error('ceilings: a buffer was not made');
  try {
    const arithmetic: number[] = [];
    const copy: number[] = [];
    for (const { THREADS, PER_THREAD } of SHAPES) {
      arithmetic.push(await best(device, wait, arithmeticSource, { THREADS }, [sums], ARITHMETIC_THREADS / THREADS));
      const groups = Math.ceil(COPY_BYTES / (16 * THREADS * PER_THREAD));
      copy.push(await best(device, wait, copySource, { THREADS, PER_THREAD }, [x, y], groups));
    }
    return {
      flops: (ARITHMETIC_THREADS * FLOPS_OF_THREAD) / Math.min(...arithmetic),
      bytesPerSecond: (2 * COPY_BYTES) / Math.min(...copy),
    };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** Least seconds of one dispatch. */
async function best(
  device: GPUDevice,
  wait: Wait,
  code: string,
  constants: Record<string, number>,
  buffers: readonly GPUBuffer[],
  groups: number,
): Promise<number> {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: 'main', constants },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const seconds = async (times: number): Promise<number> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await wait(device.queue.onSubmittedWorkDone());
    return (performance.now() - start) / 1000;
  };
  let times = 1;
  while ((await seconds(times)) < ROUND_MS / 1000 && times < 2 ** 14) times *= 2;
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, (await seconds(times)) / times);
  return least;
}
