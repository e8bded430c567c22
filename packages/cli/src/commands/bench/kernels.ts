// thaw bench kernels: every kernel of a training step, in Thaw and in other engines, beside the device's own ceilings.
import { benchKernels, KERNEL_CASES, summariseKernels, thawEngine } from '@thaw/bench';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { settings as allSettings } from '../../options/settings.ts';
import { writeKernelReport } from '../../report/kernels.ts';
import { milliseconds } from '../../text/format.ts';
import { familyTable, rowTable, times } from '../../text/kernel-tables.ts';
import { defineCommand, type Context } from '../command.ts';
import { onBenchDevice } from './device.ts';
import { filtered, peersOf, storedIn } from './options.ts';

const schema = allSettings
  .pick({
    against: true,
    filter: true,
    html: true,
    rounds: true,
    seconds: true,
    precision: true,
    seed: true,
    adapter: true,
    quiet: true,
    json: true,
    config: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ against: true, filter: true, html: true, adapter: true, config: true });

export const benchKernelsCommand = defineCommand({
  name: 'kernels',
  summary: 'time every kernel of a training step',
  description:
    "Times ResNet-50's convolutions forward, backward to the input and to the filter (32 x 32 images in batches of 32,\n" +
    '224 x 224 in batches of 4), batch-norm in training, a dense layer and the optimizer, and holds them against what the\n' +
    'device was just measured to do at most in arithmetic and in copying. With --against, other engines run the same, each\n' +
    'in a process of its own, in turns; outputs are compared before any time is taken.',
  options: [
    ['filter', { default: 'all cases' }],
    'against',
    ['rounds', { default: '5' }],
    ['seconds', { default: '10' }],
    'html',
    ['precision', { description: 'float32, or mixed: activations and filters stored in float16', default: 'float32' }],
    ['seed', { description: 'seed of the inputs', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench kernels', 'every kernel on this machine'],
    ['thaw bench kernels --filter backward-filter --against tfjs-webgpu', 'one family beside the official backend'],
  ],
  schema,
  defaults: { rounds: 5, seconds: 10, precision: 'float32', seed: 1, quiet: false, json: false, verbose: false },
  run: runBenchKernels,
});

async function runBenchKernels(settings: z.infer<typeof schema>, context: Context): Promise<void> {
  const { io, output } = context;
  const cases = filtered(KERNEL_CASES, settings.filter);
  const precision = storedIn(settings.precision);
  const against = peersOf(settings.against);
  await onBenchDevice(settings, context, `stored in ${precision}`, async ({ thaw, origin }) => {
    const engine = thawEngine(thaw);
    const options = { ...settings, precision, engine, against, ceilings: origin.ceilings };
    const rows = await benchKernels(cases, options, (row) => {
      output.event('row', { ...row });
      if (row.engine === engine.name) output.say(`${row.case}: ${milliseconds(row.milliseconds.median)} ms`);
      else output.say(`  ${row.engine}: ${milliseconds(row.milliseconds.median)} ms, ${times(row.ratio)}`);
    });
    const report = { ...origin, precision, rows, families: summariseKernels(rows) };
    output.event('result', report);
    if (settings.html !== undefined) {
      const path = resolve(io.cwd, settings.html);
      await writeKernelReport(path, report);
      output.say(path);
    }
    if (output.json) return;
    const families = familyTable(report.families, output.colors);
    output.result(`\n${rowTable(rows, output.colors)}\n\ngeometric means\n${families}`);
  });
}
