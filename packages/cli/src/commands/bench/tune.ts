// thaw bench tune, also thaw bench --tune: the fastest tilings for the device at hand, kept in THAW_HOME/tuning.
import { tune, type TunedBucket } from '@thaw/bench';
import { currentFingerprints, TUNED_KERNELS, type Choice } from '@thaw/kernels/tuning';
import type { z } from 'zod';
import { CommandError, UsageError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import { openBackend } from '../../session/backend.ts';
import { findHomes } from '../../session/home.ts';
import { loadTuning, saveTuning } from '../../session/tuning.ts';
import { duration, plural } from '../../text/format.ts';
import { table } from '../../text/table.ts';
import { versions } from '../../versions.ts';
import { defineCommand, type Context } from '../command.ts';
import { matches, storedIn } from './options.ts';

const schema = allSettings
  .pick({
    filter: true,
    seconds: true,
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
  .partial({ filter: true, imageSize: true, batchSize: true, adapter: true, config: true });

/** What is tuned for where nothing else is asked for: as in thaw bench kernels. */
const SIZES = [
  { imageSize: 32, batchSize: 32 },
  { imageSize: 224, batchSize: 4 },
];

export const benchTuneCommand = defineCommand({
  name: 'tune',
  summary: 'find the fastest tilings for this device and keep them',
  description:
    "Tries the tilings that the device's limits allow for the convolutions of ResNet-50, forward and both gradients, each\n" +
    'checked against the plain shader before it may win, and keeps the winners in THAW_HOME/tuning, where every command finds\n' +
    'them. A table of another driver or of other shaders is ignored with a note.',
  options: [
    ['seconds', { description: 'time for the whole search', default: '600' }],
    ['filter', { description: 'only kernels and shapes with this in their names; commas add up', default: 'all of them' }],
    ['precision', { description: 'float32, or mixed: tilings of the kernels that store in float16', default: 'float32' }],
    ['imageSize', { default: '32, and 224' }],
    ['batchSize', { default: '32, and 4 at 224' }],
    ['seed', { description: 'seed of the inputs and of the order of the search', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench --tune', 'ten minutes, once for each device and driver'],
    ['thaw bench --tune --image-size 128 --batch-size 64 --seconds 1200', 'for the sizes that you train with'],
  ],
  schema,
  defaults: { seconds: 600, precision: 'float32', seed: 1, quiet: false, json: false, verbose: false },
  run: runBenchTune,
});

const nameOf = ({ variant, tuning }: Choice): string =>
  `${variant} ${Object.entries(tuning)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;

async function runBenchTune(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const { imageSize, batchSize, filter } = settings;
  if ((imageSize === undefined) !== (batchSize === undefined))
    throw new UsageError('--image-size and --batch-size go together here.');
  const sizes = imageSize === undefined || batchSize === undefined ? SIZES : [{ imageSize, batchSize }];
  const backend = await openBackend({
    io,
    backend: 'thaw',
    adapter: settings.adapter,
    precision: settings.precision,
    untuned: true,
  });
  const { thaw, info } = backend;
  if (!thaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
  try {
    output.event('device', { ...info, versions: versions() });
    output.say(`${info.name}, ${info.driver}; ${duration(settings.seconds)} for the search`);
    const { found, left } = await tune(
      thaw,
      {
        ...settings,
        precision: storedIn(settings.precision),
        sizes,
        wanted: (name) => matches(name, filter),
      },
      (bucket) => {
        output.event('bucket', { ...bucket });
        const { kernel, tried, candidates, refused } = bucket;
        output.say(
          `${kernel}, ${bucket.bucket}: ${tried} of ${candidates} tried, ${gain(bucket).toFixed(2)} x${refused.length > 0 ? `, ${refused.length} refused` : ''}`,
        );
        if (settings.verbose) for (const line of refused) output.say(`  refused: ${line}`);
      },
    );
    if (found.length + left === 0) throw new UsageError(`--filter: no kernel or shape has "${filter}" in its name.`);
    const homes = await findHomes(io);
    // What an earlier search found for other shapes stays, where it still holds.
    const before = await loadTuning(homes.all, info.name).catch(() => undefined);
    const kept = before?.driver === info.driver ? before : undefined;
    const choices: Record<string, Record<string, Choice>> = {};
    const today = currentFingerprints(kept?.choices ?? {});
    for (const kernel of TUNED_KERNELS)
      choices[kernel] = kept && kept.shaders[kernel] === today[kernel] ? { ...kept.choices[kernel] } : {};
    for (const { kernel, bucket, winner } of found) {
      const own = (choices[kernel] ??= {});
      if (winner) own[bucket] = winner;
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record of a file, by its keys
      else delete own[bucket];
    }
    const path = await saveTuning(homes.cacheHome, {
      adapter: info.name,
      driver: info.driver,
      ...(thaw.gpu.kind.subgroupSize !== undefined && { subgroupSize: thaw.gpu.kind.subgroupSize }),
      date: new Date().toISOString().slice(0, 10),
      shaders: currentFingerprints(choices),
      choices,
    });
    output.event('result', { path, buckets: found, left });
    if (left > 0)
      output.say(
        `The time was over before ${plural(left, 'kind')} of shapes had a turn; --seconds ${Math.ceil((settings.seconds * (found.length + left)) / Math.max(1, found.length))} may do for all.`,
      );
    if (!output.json) output.result(`\n${bucketTable(found, output.colors)}\n\n${path}`);
  } finally {
    backend.close();
  }
}

const gain = ({ defaultMilliseconds, milliseconds }: TunedBucket): number => defaultMilliseconds / milliseconds;

function bucketTable(found: readonly TunedBucket[], colors: Parameters<typeof table>[2]): string {
  const right = 'right' as const;
  const milliseconds = (value: number): string => value.toFixed(value < 9.95 ? 3 : 1);
  return table(
    [
      { title: 'kernel' },
      { title: 'shapes' },
      { title: 'ms before', align: right },
      { title: 'ms', align: right },
      { title: 'gain', align: right },
      { title: 'tiling' },
    ],
    found.map((one) => [
      one.kernel,
      one.bucket,
      milliseconds(one.defaultMilliseconds),
      milliseconds(one.milliseconds),
      `${gain(one).toFixed(2)} x`,
      one.winner ? nameOf(one.winner) : 'the default',
    ]),
    colors,
  );
}
