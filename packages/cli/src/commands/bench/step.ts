// thaw bench step: a training step and its parts, in Thaw and in other engines, in one table.
import { resolve } from 'node:path';
import { benchStep, exportStep, STEP_CASES, thawEngine, type StepCase, type StepRow } from '@thaw/bench';
import { writeAtomically } from '@thaw/model/node';
import type { z } from 'zod';
import { CommandError, UsageError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import type { Output } from '../../output.ts';
import { writeStepReport, type StepFigures } from '../../report/steps.ts';
import { openBackend } from '../../session/backend.ts';
import { bytes, count, milliseconds, plural, rate } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { defineCommand, type Context } from '../command.ts';
import { onBenchDevice } from './device.ts';
import { filtered, peersOf } from './options.ts';
import { readGiven, type GivenRow } from './with.ts';

const schema = allSettings
  .pick({
    against: true,
    filter: true,
    rounds: true,
    seconds: true,
    with: true,
    html: true,
    exportStep: true,
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
  .partial({ against: true, filter: true, with: true, html: true, exportStep: true, adapter: true, config: true });

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
    'html',
    'exportStep',
    ['precision', { default: 'float32' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { default: '32' }],
    ['seed', { description: 'seed of the weights and the images', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench step', 'every case on this machine'],
    ['thaw bench step --filter all --against tfjs-webgpu', 'beside the official WebGPU backend'],
    [
      'thaw bench step --with pytorch.json --html step.html',
      'beside what bench/pytorch_step.py printed, as a page too',
    ],
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

async function runBenchStep(settings: z.infer<typeof schema>, context: Context): Promise<void> {
  const { io, output } = context;
  const { imageSize, batchSize, precision } = settings;
  const cases = filtered(STEP_CASES, settings.filter);
  const against = peersOf(settings.against);
  const given = settings.with === undefined ? undefined : await readGiven(resolve(io.cwd, settings.with), settings);
  if (settings.exportStep !== undefined) return writeStep(settings, settings.exportStep, cases, context);
  const about = `${imageSize} x ${imageSize} images, batch ${batchSize}, ${precision}`;
  await onBenchDevice(settings, context, about, async ({ thaw, origin }) => {
    const engine = thawEngine(thaw);
    const rows: StepFigures[] = [];
    for (const one of cases) {
      const found = await benchStep(one, { ...settings, engine, against, ceilings: origin.ceilings });
      for (const row of found) {
        output.event('row', { ...row });
        output.say(rowText(row));
      }
      rows.push(...found, ...givenRows(one.name, given?.rows ?? [], found));
    }
    const others = given && { others: given.about };
    const report = { ...origin, imageSize, batchSize, precision, cases, rows, ...others };
    output.event('result', report);
    if (settings.html !== undefined) {
      const path = resolve(io.cwd, settings.html);
      await writeStepReport(path, report);
      output.say(path);
    }
    if (!output.json) output.result(`\n${stepTable(rows, output)}${given ? `\n\n${given.about}` : ''}`);
  });
}

/** --export-step: one case, in float32, as bench/pytorch_step.py --check reads it. */
async function writeStep(
  settings: z.infer<typeof schema>,
  file: string,
  cases: readonly StepCase[],
  { io, output }: Context,
): Promise<void> {
  const [only, ...rest] = cases;
  if (!only || rest.length > 0)
    throw new UsageError(
      `--export-step: one case goes into a file; choose it with --filter out of ${cases.map(({ name }) => name).join(', ')}.`,
    );
  if (settings.precision !== 'float32') throw new UsageError('--export-step: a step is exported in float32 only.');
  const path = resolve(io.cwd, file);
  const backend = await openBackend({ io, backend: 'thaw', adapter: settings.adapter });
  try {
    if (!backend.thaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
    await writeAtomically(path, await exportStep(thawEngine(backend.thaw), only, settings));
    output.event('result', { path, case: only.name });
    output.result(path);
  } finally {
    backend.close();
  }
}

/** Rows of another file for a case, beside Thaw's. */
function givenRows(name: string, given: readonly GivenRow[], found: readonly StepRow[]): StepFigures[] {
  const thaw = found.find(({ engine }) => engine === 'thaw')?.milliseconds.median ?? NaN;
  return given.filter((row) => row.case === name).map((row) => ({ ...row, ratio: row.milliseconds.median / thaw }));
}

function rowText({ case: name, engine, milliseconds, agreement }: StepRow): string {
  const { difference, allowed, worst } = agreement ?? {};
  const checked =
    difference === undefined
      ? ''
      : `, ${worst} within ${difference.toExponential(1)} (allowed ${allowed?.toExponential(1)})`;
  return `${name} in ${engine}: ${plural(milliseconds.rounds, 'round')}${checked}`;
}

function stepTable(rows: readonly StepFigures[], output: Output): string {
  const right = 'right' as const;
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
