// thaw bench step: a training step and its parts, in Thaw and in other engines, in one table.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { benchStep, measureCeilings, STEP_CASES, thawEngine, type StepRow } from '@thaw/bench';
import { z } from 'zod';
import { CommandError, explain, UsageError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import type { Output } from '../../output.ts';
import { openBackend } from '../../session/backend.ts';
import { bytes, count, plural, rate } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { versions } from '../../versions.ts';
import { defineCommand, type Context } from '../command.ts';
import { ceilingsText, filtered, peersOf } from './options.ts';

const schema = allSettings
  .pick({
    against: true,
    filter: true,
    rounds: true,
    seconds: true,
    with: true,
    precision: true,
    imageSize: true,
    batchSize: true,
    seed: true,
    adapter: true,
    quiet: true,
    json: true,
    config: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ against: true, filter: true, with: true, adapter: true, config: true });

export const benchStepCommand = defineCommand({
  name: 'step',
  summary: 'time a training step and feature extraction',
  description:
    `Times ResNet-50 with random weights and the article's head: ${STEP_CASES.map(({ name, about }) => `${name} (${about})`).join(', ')}.\n` +
    'With --against, the same network and weights run in another engine, each in a process of its own, in turns; loss and\n' +
    'gradients of the first step are compared before any time is taken. The floor is what the device, as just measured, would\n' +
    'need at least for the arithmetic or for the traffic of memory.',
  options: [
    ['filter', { default: 'all cases' }],
    'against',
    ['rounds', { default: '5' }],
    ['seconds', { default: '60' }],
    'with',
    ['precision', { default: 'float32' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { default: '32' }],
    ['seed', { description: 'seed of the weights and the images', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench step', 'every case on this machine'],
    ['thaw bench step --filter all --against tfjs-webgpu', 'beside the official WebGPU backend'],
    ['thaw bench step --with pytorch.json', 'beside what bench/pytorch_step.py printed'],
  ],
  schema,
  defaults: {
    rounds: 5,
    seconds: 60,
    precision: 'float32',
    imageSize: 32,
    batchSize: 32,
    seed: 1,
    quiet: false,
    json: false,
    verbose: false,
  },
  run: runBenchStep,
});

const spreadShape = z.object({ median: z.number(), min: z.number(), max: z.number(), rounds: z.number() });
/** What of a row from a file goes into the table. */
const rowShape = z.object({
  case: z.string(),
  engine: z.string(),
  imageSize: z.number(),
  batchSize: z.number(),
  imagesPerSecond: z.number(),
  milliseconds: spreadShape,
  floorMilliseconds: z.number().optional(),
  hostMilliseconds: spreadShape.optional(),
  dispatches: z.number().optional(),
  peakBytes: z.number().optional(),
});
type TableRow = z.infer<typeof rowShape> & { readonly ratio?: number | undefined };

async function runBenchStep(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const { imageSize, batchSize, adapter, precision } = settings;
  const cases = filtered(STEP_CASES, settings.filter);
  const against = peersOf(settings.against);
  const others = settings.with === undefined ? [] : await readRows(resolve(io.cwd, settings.with));
  const backend = await openBackend({ io, onNote: (note) => output.say(note), backend: 'thaw', adapter, precision });
  if (!backend.thaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
  const engine = thawEngine(backend.thaw);
  try {
    output.event('device', { ...backend.info, versions: versions() });
    const ceilings = await measureCeilings(backend.thaw.gpu.device);
    output.event('ceilings', { ...ceilings });
    output.say(
      `${backend.info.name}, ${backend.info.driver}; ${imageSize} x ${imageSize} images, batch ${batchSize}, ${precision}; ` +
        ceilingsText(ceilings),
    );
    const rows: StepRow[] = [];
    for (const one of cases) {
      const found = await benchStep(one, { ...settings, engine, against, ceilings });
      for (const row of found) {
        output.event('row', { ...row });
        const { difference, allowed, worst } = row.agreement ?? {};
        const checked =
          difference === undefined
            ? ''
            : `, ${worst} within ${difference.toExponential(1)} (allowed ${allowed?.toExponential(1)})`;
        output.say(`${row.case} in ${row.engine}: ${plural(row.milliseconds.rounds, 'round')}${checked}`);
      }
      rows.push(...found);
    }
    output.event('result', { rows });
    const all = cases.flatMap(({ name }) => {
      const own = rows.filter((row) => row.case === name);
      const thaw = own.find((row) => row.engine === 'thaw')?.milliseconds.median ?? NaN;
      const fromFile = others.filter(
        (row) => row.case === name && row.imageSize === imageSize && row.batchSize === batchSize,
      );
      return [...own, ...fromFile.map((row) => ({ ...row, ratio: row.milliseconds.median / thaw }))];
    });
    if (!output.json) output.result(`\n${stepTable(all, output)}`);
  } finally {
    backend.close();
  }
}

async function readRows(path: string): Promise<TableRow[]> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--with: ${explain(error)}`);
  });
  try {
    // The last line, where --json has written others before it.
    const result: unknown = JSON.parse(content.trim().split('\n').at(-1) ?? '');
    return z.object({ rows: z.array(rowShape) }).parse(result).rows;
  } catch (error) {
    throw new UsageError(
      `--with: ${path} does not end in the JSON that bench/pytorch_step.py or thaw bench step --json prints: ${explain(error)}`,
    );
  }
}

function stepTable(rows: readonly TableRow[], output: Output): string {
  const right = 'right' as const;
  const milliseconds = (value: number): string =>
    value < 9.95 ? value.toFixed(2) : value.toFixed(value < 99.5 ? 1 : 0);
  return table(
    [
      { title: 'case' },
      { title: 'engine' },
      { title: 'ms', align: right },
      { title: 'min..max', align: right },
      { title: 'images/s', align: right },
      { title: 'floor ms', align: right },
      { title: 'of Thaw', align: right },
      { title: 'dispatches', align: right },
      { title: 'host ms', align: right },
      { title: 'peak', align: right },
    ],
    rows.map((row) => [
      row.case,
      row.engine,
      milliseconds(row.milliseconds.median),
      `${milliseconds(row.milliseconds.min)}..${milliseconds(row.milliseconds.max)}`,
      rate(row.imagesPerSecond),
      row.floorMilliseconds === undefined ? '' : milliseconds(row.floorMilliseconds),
      row.ratio === undefined ? '' : `${row.ratio.toFixed(row.ratio < 9.95 ? 2 : 1)} x`,
      row.dispatches === undefined ? '-' : count(row.dispatches),
      row.hostMilliseconds === undefined ? '-' : milliseconds(row.hostMilliseconds.median),
      row.peakBytes === undefined ? '-' : bytes(row.peakBytes),
    ]),
    output.colors,
  );
}
