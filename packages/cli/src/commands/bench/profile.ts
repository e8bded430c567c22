// thaw bench profile: where the time of a training step goes.
import { profileStep, STEP_CASES, type ProfileRow, type StepCase, type StepProfile } from '@thaw/bench'; // prettier-ignore
import type { z } from 'zod';
import { settings as allSettings } from '../../options/settings.ts';
import { count } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { defineCommand, type Context } from '../command.ts';
import { onBenchDevice } from './device.ts';
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
    'Runs a captured training step with a timestamp query around every dispatch and sums them up by layer and by kernel,\n' +
    'beside their floors: what the arithmetic of convolutions and dense layers, or the traffic of memory, takes at the\n' +
    "device's own ceilings. Each dispatch then has a pass of its own, so the sum is somewhat more than the step takes without.\n" +
    'With --json every dispatch is told, with its shape, tiling and workgroups.',
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
    ['thaw bench profile --filter article-2', 'the step of the second example'],
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

async function runBenchProfile(settings: z.infer<typeof schema>, context: Context): Promise<void> {
  const { output } = context;
  const cases = filtered(STEP_CASES, settings.filter);
  const { imageSize, batchSize, precision } = settings;
  const about = `${imageSize} x ${imageSize} images, batch ${batchSize}, ${precision}`;
  await onBenchDevice(settings, context, about, async ({ thaw, origin }) => {
    for (const one of cases) {
      const profile = await profileStep(thaw, one, { ...settings, ceilings: origin.ceilings });
      output.event('result', { ...origin, imageSize, batchSize, precision, case: one.name, ...profile });
      if (!output.json) output.result(profileText(one, profile, output.colors));
    }
  });
}

type Colors = Parameters<typeof table>[2];

/** Layers in the table; --json has all. */
const MOST_LAYERS = 30;

function profileText({ name, about }: StepCase, profile: StepProfile, colors: Colors): string {
  const { stepMilliseconds, milliseconds, steps, layers, kernels } = profile;
  const floor = layers.reduce((sum, row) => sum + row.floorMilliseconds, 0);
  const [top, rest] = [layers.slice(0, MOST_LAYERS), layers.slice(MOST_LAYERS)];
  const others = rest.length === 0 ? [] : [sumOf(`${count(rest.length)} others`, rest)];
  return [
    `\n${name} (${about}): ${stepMilliseconds.toFixed(1)} ms a step; by timestamps ${milliseconds.toFixed(1)} ms, ` +
      `the median of ${count(steps)} steps; the dispatches' floors sum up to ${floor.toFixed(1)} ms`,
    `\nby layer\n${rowTable('layer', [...top, ...others], milliseconds, colors)}`,
    `\nby kernel\n${rowTable('kernel', kernels, milliseconds, colors)}`,
  ].join('\n');
}

function sumOf(name: string, rows: readonly ProfileRow[]): ProfileRow {
  const sum = (of: (row: ProfileRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    name,
    pass: undefined,
    dispatches: sum(({ dispatches }) => dispatches),
    milliseconds: sum(({ milliseconds }) => milliseconds),
    floorMilliseconds: sum(({ floorMilliseconds }) => floorMilliseconds),
  };
}

function rowTable(title: string, rows: readonly ProfileRow[], total: number, colors: Colors): string {
  const right = 'right' as const;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const hasPasses = rows.some(({ pass }) => pass);
  return table(
    [
      { title },
      ...(hasPasses ? [{ title: 'pass' }] : []),
      { title: 'dispatches', align: right },
      { title: 'ms', align: right },
      { title: 'share', align: right },
      { title: 'floor ms', align: right },
      { title: 'of floor', align: right },
    ],
    rows.map((row) => [
      row.name,
      ...(hasPasses ? [row.pass ?? ''] : []),
      count(row.dispatches),
      row.milliseconds.toFixed(2),
      percent(row.milliseconds / total),
      row.floorMilliseconds.toFixed(2),
      row.milliseconds === 0 ? '' : `${((100 * row.floorMilliseconds) / row.milliseconds).toFixed(0)} %`,
    ]),
    colors,
  );
}
