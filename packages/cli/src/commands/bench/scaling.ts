// thaw bench scaling: what a training step gains by several ranks, and what it pays for their messages.
import { benchScaling, DisagreementError, STEP_CASES, thawEngine, type ScalingRow } from '@thaw/bench';
import { GRADIENT_COMPRESSIONS, type GradientCompression } from '@thaw/model';
import { launchOf, openGroup } from '@thaw/mpi';
import { z } from 'zod';
import { UsageError } from '../../errors.ts';
import { flagOf, settings as allSettings } from '../../options/settings.ts';
import { listOf } from '../../options/settings/info.ts';
import { milliseconds, percent, plural } from '../../text/format.ts';
import { scalingTable } from '../../text/scaling-tables.ts';
import { defineCommand, type Context } from '../command.ts';
import { onBenchDevice } from './device.ts';
import { filtered } from './options.ts';
import { findMpirun, runLocalJob, shareCores, type CoreShares, type Mpirun } from './start-job.ts';

/** Those that have gradients. */
const CASES = STEP_CASES.filter(({ part }) => part !== 'features');

const schema = allSettings
  .pick({
    ranks: true,
    mpirun: true,
    filter: true,
    rounds: true,
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
  })
  .extend({ gradientCompression: z.string().regex(new RegExp(`^${listOf(GRADIENT_COMPRESSIONS)}$`)) })
  .partial({ ranks: true, mpirun: true, gradientCompression: true, filter: true, adapter: true, config: true }); // prettier-ignore
type ScalingSettings = z.infer<typeof schema>;

export const benchScalingCommand = defineCommand({
  name: 'scaling',
  summary: 'time a training step on several ranks of an MPI job',
  description:
    `Times ResNet-50's training step (${CASES.map(({ name }) => name).join(', ')}) on each rank by itself, with the others, and\n` +
    'its messages with no step around them, in turns. Started by mpirun or srun it measures that job, and rank 0 prints;\n' +
    'otherwise it starts jobs of 1 and 2 ranks on this machine, each rank with as many cores as one of the largest job can have.\n' +
    'After a first step together the weights of all ranks must be the same bits.',
  options: [
    ['ranks', { default: '1,2' }],
    ['mpirun', { default: `the first of PATH` }],
    ['gradientCompression', { flags: '--gradient-compression <list>', description: 'in which numbers gradients travel: none (float32), f16, or both with a comma between them', default: 'both' }],
    ['filter', { default: 'all cases' }],
    ['rounds', { description: 'rounds in which the step alone, the step together and the messages have their turns', default: '5' }],
    ['seconds', { default: '60' }],
    ['precision', { default: 'float32' }],
    ['imageSize', { default: '32' }],
    ['batchSize', { description: 'images of each rank in a step', default: '32' }],
    ['seed', { description: 'seed of the weights and the images', default: '1' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench scaling', '1 and 2 ranks on this machine'],
    ['mpirun -n 8 thaw bench scaling --filter all --batch-size 64', 'the job that mpirun starts; or srun'],
    ['thaw bench scaling-model --step-ms 40 --links 100', 'what to expect of 1 to 1024 GPUs'],
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
  ranks: 'share',
  run: runBenchScaling,
});

async function runBenchScaling(given: ScalingSettings, context: Context): Promise<void> {
  const cases = filtered(CASES, given.filter);
  if (launchOf(context.io.env) === undefined) return startJobs(given, context);
  if (given.ranks !== undefined)
    throw context.ranks.share(new UsageError('--ranks: a launcher started this job, and it has the ranks it has; leave --ranks out.')); // prettier-ignore
  await measureJob(given, cases, context);
}

/** As a rank of the job that a launcher started. */
async function measureJob(settings: ScalingSettings, cases: typeof CASES, context: Context): Promise<void> {
  const { io, output, ranks } = context;
  // A job of one rank shares nothing, and still has a group, in which values pass through the host.
  const group = ranks.group ?? (await openGroup(io.env));
  if (!group) throw new Error('no launcher');
  const { imageSize, batchSize, precision } = settings;
  const about = `${plural(group.size, 'rank')}, ${imageSize} x ${imageSize} images, batch ${batchSize} each, ${precision}`;
  await onBenchDevice(settings, context, about, async ({ thaw, origin }) => {
    const engine = thawEngine(thaw);
    const rows: ScalingRow[] = [];
    for (const one of cases)
      for (const compression of compressionsOf(settings)) {
        const row = await benchScaling(one, { ...settings, engine, group, compression }).catch((error: unknown) => {
          // Every rank sees the same figures.
          throw error instanceof DisagreementError ? ranks.share(error) : error;
        });
        output.event('row', { ...row });
        output.say(rowText(row));
        rows.push(row);
      }
    output.event('result', { ...origin, mpi: io.job?.library, precision, rows });
    if (!output.json) output.result(`\n${scalingTable(rows, output.colors)}`);
  });
}

/** Jobs of one after the other number of ranks. */
async function startJobs(settings: ScalingSettings, { io, output }: Context): Promise<void> {
  const mpirun = await findMpirun(io, settings.mpirun);
  const sizes = (settings.ranks ?? '1,2').split(',').map(Number);
  const most = Math.max(...sizes);
  const shares = await shareCores(most, io);
  output.say(jobsText(mpirun, shares));
  if (shares.lists === undefined)
    output.warn('There is no taskset here, so ranks are not kept to cores of their own: a single rank may use them all.'); // prettier-ignore
  else if (shares.lists.length < most)
    output.warn(`${plural(most, 'rank')} share ${plural(shares.lists.length * shares.cores, 'core')} here, and take them from each other.`); // prettier-ignore
  const rows: ScalingRow[] = [];
  const devices: JobEvent[] = [];
  for (const ranks of new Set(sizes)) {
    const onLine = (line: string): void => {
      const said = eventOf(line);
      if (said?.event === 'device') devices.push(said);
      if (said?.event !== 'row') return;
      const { event: _, ...row } = said;
      rows.push(row);
      output.event('row', { ...row });
      output.say(rowText(row));
    };
    await runLocalJob({ mpirun, ranks, shares, args: argumentsOf(settings), io, onLine });
  }
  output.event('result', { devices, mpirun, cores: shares, rows });
  if (!output.json) output.result(`\n${scalingTable(rows, output.colors)}`);
}

/** What rank 0 of a job tells, as far as it is read. */
type JobEvent =
  ({ readonly event: 'row' } & ScalingRow) | { readonly event: 'device' } | { readonly event: 'ceilings' };

/** Undefined of a line that is no event: launchers write on the same stream. */
function eventOf(line: string): JobEvent | undefined {
  try {
    return line.startsWith('{') ? (JSON.parse(line) as JobEvent) : undefined;
  } catch {
    return undefined;
  }
}

const compressionsOf = ({ gradientCompression }: ScalingSettings): GradientCompression[] =>
  GRADIENT_COMPRESSIONS.filter((name) => gradientCompression?.split(',').includes(name) ?? true);

/** The same measurement, as a rank is to be asked for it. */
function argumentsOf(settings: ScalingSettings): string[] {
  const flags = ['gradientCompression', 'filter', 'rounds', 'seconds', 'precision', 'imageSize', 'batchSize', 'seed', 'adapter'] as const; // prettier-ignore
  const typed = flags.flatMap((name) => (settings[name] === undefined ? [] : [flagOf(name), String(settings[name])]));
  return ['bench', 'scaling', ...typed, '--json', '--quiet'];
}

function jobsText({ program, version }: Mpirun, { cores, lists }: CoreShares): string {
  const bound = lists === undefined ? 'not bound to cores' : `bound to ${plural(cores, 'core')} each`;
  return `${program}: ${version}; ranks are ${bound}`;
}

function rowText({ case: name, compression, ranks, alone, together, efficiency }: ScalingRow): string {
  const size = `${plural(ranks, 'rank')}, gradients in ${compression === 'none' ? 'float32' : 'float16'}`;
  return `${name}, ${size}: ${milliseconds(alone.median)} ms alone, ${milliseconds(together.median)} ms together (${percent(efficiency, 0)})`;
}
