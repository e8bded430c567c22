// thaw bench scaling-model: what a training step is expected to take on many ranks, reckoned and not measured.
import { predictScaling, STEP_CASES, stepGradients, type ScalingModel } from '@thaw/bench';
import type { z } from 'zod';
import { UsageError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import { bytes, milliseconds, percent, plural } from '../../text/format.ts';
import { MODEL_COLUMNS, modelTable, type ModelColumn, type ModelRow } from '../../text/scaling-tables.ts';
import { defineCommand, type Context } from '../command.ts';
import { filtered } from './options.ts';

const CASES = STEP_CASES.filter(({ part }) => part !== 'features');

const schema = allSettings
  .pick({
    stepMs: true,
    filter: true,
    ranks: true,
    links: true,
    latency: true,
    deviceLink: true,
    hostCopy: true,
    algorithm: true,
    precision: true,
    imageSize: true,
    batchSize: true,
    quiet: true,
    json: true,
    config: true,
    verbose: true,
  })
  .partial({ stepMs: true, config: true }); // prettier-ignore

export const benchScalingModelCommand = defineCommand({
  name: 'scaling-model',
  summary: 'reckon what a training step takes on many ranks',
  description:
    'From the time of a step on one device: which gradients it has, when in its backward pass each bucket of them is complete, and\n' +
    'how long copies to the host, a ring of ranks and copies back take, beside the backward pass or behind it. Nothing is\n' +
    'measured and no device is needed; docs/scaling.md says what the model leaves out.',
  options: [
    'stepMs',
    ['filter', { description: 'the case whose gradients they are', default: 'all' }],
    ['ranks', { default: '1 to 1024, doubling' }],
    ['links', { default: '10,100,400' }],
    ['latency', { default: '10' }],
    ['deviceLink', { default: '25: PCIe 4.0 x16' }],
    ['hostCopy', { default: '10' }],
    ['algorithm', { default: 'ring' }],
    ['precision', { default: 'float32' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { description: 'images of each rank in a step: they decide when gradients are complete', default: '32' }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench scaling-model --step-ms 3.5 --filter article-2', '1 to 1024 GPUs that take 3.5 ms'],
    ['thaw bench scaling-model --step-ms 80 --image-size 224 --batch-size 64 --links 25 --ranks 8,64', 'one network'],
  ],
  schema,
  defaults: {
    filter: 'all',
    ranks: Array.from({ length: 11 }, (_, i) => 2 ** i).join(','),
    links: '10,100,400',
    latency: 10,
    deviceLink: 25,
    hostCopy: 10,
    algorithm: 'ring',
    precision: 'float32',
    imageSize: 32,
    batchSize: 32,
    quiet: false,
    json: false,
    verbose: false,
  },
  ranks: 'first',
  run: runScalingModel,
});

const listed = (list: string): number[] => [...new Set(list.split(',').map(Number))].sort((a, b) => a - b);

function runScalingModel(settings: z.infer<typeof schema>, { output }: Context): Promise<void> {
  const { stepMs, latency, deviceLink, hostCopy, algorithm } = settings;
  if (stepMs === undefined)
    throw new UsageError('--step-ms: the milliseconds of a step on one device are needed; thaw bench step measures them.'); // prettier-ignore
  const [only, ...others] = filtered(CASES, settings.filter);
  if (!only || others.length > 0)
    throw new UsageError(`--filter: one case at a time; choose one out of ${CASES.map(({ name }) => name).join(', ')}.`); // prettier-ignore
  const gradients = stepGradients({ ...settings, part: only.part });
  const model = (link: number, ranks: number): ScalingModel => ({
    gradients,
    computeSeconds: stepMs / 1000,
    ranks,
    link: { bytesPerSecond: (link * 1e9) / 8, latencySeconds: Number.isFinite(link) ? latency / 1e6 : 0 },
    staging: { deviceBytesPerSecond: deviceLink * 1e9, hostBytesPerSecond: hostCopy * 1e9 },
    algorithm,
  });
  const rowOf = (link: number, ranks: number): ModelRow => ({ link, ranks, expected: expectedOf(model(link, ranks)) });
  const counts = listed(settings.ranks);
  const rows = listed(settings.links).flatMap((link) => counts.map((ranks) => rowOf(link, ranks)));
  // What is left where the network costs nothing: the copies, and the sums on the host.
  const rest = rowOf(Infinity, Math.max(...counts));
  const total = gradients.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  output.event('result', { case: only.name, gradients, rows, staging: rest.expected });
  if (output.json) return Promise.resolve();
  const ready = gradients.buckets.map(({ bytes: size, readyAt }) => `${bytes(size)} at ${percent(readyAt, 0)}`);
  output.say(
    `${only.name}: ${bytes(total)} of gradients in ${plural(gradients.buckets.length, 'bucket')}: ${ready.join(', ')} of the step`,
  );
  output.say(`A network of no cost: ${MODEL_COLUMNS.map((name) => `${milliseconds(1000 * rest.expected[name].stepSeconds)} ms (${name})`).join(', ')} on ${plural(rest.ranks, 'rank')}: copies between device and host, and sums there`); // prettier-ignore
  output.result(`\n${modelTable(rows, output.colors)}`);
  return Promise.resolve();
}

function expectedOf(model: ScalingModel): ModelRow['expected'] {
  const one = (compression: 'none' | 'f16', overlap: boolean) => predictScaling({ ...model, compression, overlap });
  return {
    float32: one('none', true),
    float16: one('f16', true),
    'float32, no overlap': one('none', false),
    'float16, no overlap': one('f16', false),
  } satisfies Record<ModelColumn, unknown>;
}
