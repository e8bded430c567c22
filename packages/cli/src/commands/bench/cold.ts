// thaw bench cold: how long a program takes to its first result, on Thaw and on the official WebGPU backend.
import { benchCold, COLD_PHASES, type ColdRow } from '@thaw/bench';
import type { z } from 'zod';
import { CommandError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import { openBackend } from '../../session/backend.ts';
import { count } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { versions } from '../../versions.ts';
import { defineCommand, type Context } from '../command.ts';

const schema = allSettings
  .pick({
    rounds: true,
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

export const benchColdCommand = defineCommand({
  name: 'cold',
  summary: 'time a program from its start to its first result',
  description:
    "Starts a program that imports TensorFlow.js's core and a backend, opens the device, reads ResNet-50's weights and runs\n" +
    'one forward pass: on Thaw and on tfjs-webgpu in turns, each time in a new process and with the caches of compiled\n' +
    'shaders that Mesa and NVIDIA keep on disk turned off. Outputs are compared. Most of the time compiles pipelines.',
  options: [
    ['rounds', { default: '5' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { description: 'images of the pass', default: '1' }],
    ['seed', { description: 'seed of the weights and the images', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [['thaw bench cold', 'both engines on this machine, five times each']],
  schema,
  defaults: { rounds: 5, imageSize: 32, batchSize: 1, seed: 1, quiet: false, json: false, verbose: false },
  run: runBenchCold,
});

async function runBenchCold(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const { adapter, imageSize, batchSize } = settings;
  const backend = await openBackend({ io, onNote: (note) => output.say(note), backend: 'thaw', adapter });
  const device = backend.info;
  const isThaw = backend.thaw !== undefined;
  backend.close();
  if (!isThaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
  output.event('device', { ...device, versions: versions() });
  output.say(`${device.name}, ${device.driver}; ${imageSize} x ${imageSize} images, batch ${batchSize}`);
  const rows = await benchCold(settings, (start) => {
    output.event('row', { ...start });
    output.say(`${start.engine}: ${seconds(start.milliseconds)} s`);
  });
  output.event('result', { device, versions: versions(), imageSize, batchSize, rows });
  if (!output.json) output.result(`\n${coldTable(rows, output.colors)}`);
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2);

function coldTable(rows: readonly ColdRow[], colors: Parameters<typeof table>[2]): string {
  const right = 'right' as const;
  return table(
    [
      { title: 'engine' },
      { title: 's', align: right },
      { title: 'min..max', align: right },
      ...COLD_PHASES.map((phase) => ({ title: phase, align: right })),
      { title: 'second pass', align: right },
      { title: 'pipelines', align: right },
      { title: 'Thaw takes', align: right },
    ],
    rows.map((row) => [
      row.engine,
      seconds(row.milliseconds.median),
      `${seconds(row.milliseconds.min)}..${seconds(row.milliseconds.max)}`,
      ...COLD_PHASES.map((phase) => seconds(row.phases[phase])),
      seconds(row.secondPass),
      count(row.pipelines),
      row.engine === 'thaw' ? '' : `${(100 * row.thawShare).toFixed(0)} %`,
    ]),
    colors,
  );
}
