// Compiled once per key, and a shader that does not compile says where.
import { expect, test } from 'vitest';
import { gpu } from '../testing/device.ts';
import { readShader } from '../wgsl/shader.ts';
import { ShaderError } from './errors.ts';
import { PipelineCache } from './pipelines.ts';
import type { Plan } from './plan.ts';

const GOOD = `// y[i] = C
const THREADS: u32 = 64u; // @tune
override C: f32 = 1.0;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = C; }
`;
const planOf = (name: string, source: string, changes: Partial<Plan> = {}): Plan => {
  const shader = readShader(name, source);
  return { shader, tuning: shader.tunables, constants: {}, params: {}, workgroups: [1, 1, 1], outputs: {}, ...changes };
};
const failure = (pipelines: PipelineCache, plan: Plan): Promise<unknown> =>
  pipelines.get(plan).ready.then(() => undefined, (error: unknown) => error); // prettier-ignore

test('one pipeline per shader, tuning and constants, whatever the sizes', async () => {
  const pipelines = new PipelineCache(gpu.device);
  const first = pipelines.get(planOf('good', GOOD));
  expect(first.compiled).toBeUndefined();
  expect(pipelines.get(planOf('good', GOOD, { workgroups: [5, 1, 1], params: { n: 3 } }))).toBe(first);
  await first.ready;
  expect(first.compiled).toBeDefined();
  expect(pipelines.get(planOf('good', GOOD))).toBe(first);
  const others = [pipelines.get(planOf('good', GOOD, { tuning: { THREADS: 32 } })), pipelines.get(planOf('good', GOOD, { constants: { C: 2 } }))]; // prettier-ignore
  await Promise.all(others.map(({ ready }) => ready));
  expect(new Set([first, ...others]).size).toBe(3);
  expect(pipelines.size).toBe(3);
  // They differ in nothing that a bind group sees.
  expect(others.map(({ layout }) => layout)).toEqual([first.layout, first.layout]);
});

test('a shader that does not compile: file, line, column, the line itself and how it was specialised', async () => {
  const source = GOOD.replace('y[id.x] = C;', 'y[id.x] = missing;');
  const error = await failure(new PipelineCache(gpu.device), planOf('broken', source, { tuning: { THREADS: 32 } }));
  expect(error).toBeInstanceOf(ShaderError);
  const { message } = error as Error;
  expect(message).toMatch(/^broken\.wgsl:6:\d+ .*missing/);
  expect(message).toContain('y[id.x] = missing;');
  expect(message).toContain('tuning {"THREADS":32}');
});

test('constants that the shader does not have, and a workgroup over the limit: the file is named', async () => {
  const pipelines = new PipelineCache(gpu.device);
  const surplus = await failure(pipelines, planOf('surplus', GOOD, { constants: { NO_SUCH: 1 } }));
  expect(surplus).toBeInstanceOf(ShaderError);
  expect((surplus as Error).message).toMatch(/^surplus\.wgsl: .*NO_SUCH/s);
  const threads = gpu.limits.maxComputeInvocationsPerWorkgroup + 1;
  const large = await failure(pipelines, planOf('large', GOOD, { tuning: { THREADS: threads } }));
  expect(large).toBeInstanceOf(ShaderError);
  expect((large as Error).message).toMatch(/^large\.wgsl/);
});

test('a name that is not tunable throws where the plan is used', async () => {
  const error = await failure(new PipelineCache(gpu.device), planOf('good', GOOD, { tuning: { NO_SUCH: 1 } }));
  expect(String(error)).toContain("good.wgsl has no tunable 'NO_SUCH' (it has THREADS)");
});
