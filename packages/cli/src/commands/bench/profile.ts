// thaw bench profile: where the time of a training step goes.
import { profileStep, STEP_CASES } from '@thaw/bench';
import type { z } from 'zod';
import { CommandError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import { openBackend } from '../../session/backend.ts';
import { count } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { versions } from '../../versions.ts';
import { defineCommand, type Context } from '../command.ts';
import { filtered } from './options.ts';

const schema = allSettings
  .pick({
    filter: true,
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
  .partial({ adapter: true, config: true });

export const benchProfileCommand = defineCommand({
  name: 'profile',
  summary: 'show where the time of a training step goes',
  description:
    'Runs a captured training step with a timestamp query around every dispatch and sums them up by kernel. Each dispatch\n' +
    'then has a pass of its own, so the sum is somewhat more than the step takes without.',
  options: [
    ['filter', { default: 'all layers' }],
    ['precision', { default: 'float32' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { default: '32' }],
    ['seed', { description: 'seed of the weights and the images', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench profile', 'a step that trains every layer'],
    ['thaw bench profile --filter article-2', 'the two steps of the second example'],
  ],
  schema,
  defaults: {
    filter: 'all',
    precision: 'float32',
    imageSize: 32,
    batchSize: 32,
    seed: 1,
    quiet: false,
    json: false,
    verbose: false,
  },
  run: runBenchProfile,
});

async function runBenchProfile(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const cases = filtered(STEP_CASES, settings.filter);
  const backend = await openBackend({
    io,
    onNote: (note) => output.say(note),
    backend: 'thaw',
    adapter: settings.adapter,
    precision: settings.precision,
  });
  if (!backend.thaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
  const { imageSize, batchSize } = settings;
  try {
    output.event('device', { ...backend.info, versions: versions() });
    output.say(
      `${backend.info.name}, ${backend.info.driver}; ${imageSize} x ${imageSize} images, batch ${batchSize}, ${settings.precision}`,
    );
    for (const one of cases) {
      const { kernels, milliseconds } = await profileStep(backend.thaw, one, settings);
      output.event('result', { case: one.name, milliseconds, kernels });
      if (output.json) continue;
      const total = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
      const rows = kernels.map((kernel) => [
        kernel.kernel,
        count(kernel.dispatches),
        kernel.milliseconds.toFixed(2),
        `${((100 * kernel.milliseconds) / total).toFixed(1)} %`,
      ]);
      const columns = [
        { title: 'kernel' },
        { title: 'dispatches', align: 'right' as const },
        { title: 'ms', align: 'right' as const },
        { title: 'share', align: 'right' as const },
      ];
      output.result(
        `\n${one.name} (${one.about}): ${milliseconds.toFixed(1)} ms a step; by timestamps ${total.toFixed(1)} ms\n` +
          table(columns, rows, output.colors),
      );
    }
  } finally {
    backend.close();
  }
}
