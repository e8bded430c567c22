// thaw doctor: what this machine is, whether it computes rightly, and in one sentence what is wrong with it.
import { totalmem, freemem, cpus } from 'node:os';
import { checkMatrixUnit, register, selfCheck, type SelfCheckResult, type ThawBackend } from '@thaw/kernels';
import { openDevice, type OpenedDevice } from '@thaw/kernels/node';
import type { z } from 'zod';
import { CommandError, explain } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { driverAdvice } from '../session/backend.ts';
import { canWrite, findHomes, type Homes } from '../session/home.ts';
import { takeInventory } from '../session/inventory.ts';
import { checkLimits, type LimitCheck } from '../session/limits.ts';
import { bytes, count, plural } from '../text/format.ts';
import { table } from '../text/table.ts';
import { versions } from '../versions.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings.pick({ adapter: true, quiet: true, json: true, verbose: true }).partial({ adapter: true });

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'check this machine',
  description:
    'Looks for a WebGPU adapter and its driver, holds the limits needed against those it has, checks a convolution and its\n' +
    'gradients against float64, and looks into THAW_HOME. Says in one sentence what is wrong; exit code 1 where layers\n' +
    'cannot be thawed on this machine.',
  options: ['adapter', 'json', 'quiet', 'verbose'],
  examples: [
    ['thaw doctor', 'is this machine ready?'],
    ['thaw doctor --adapter nvidia', 'and this one of its adapters?'],
  ],
  schema,
  defaults: { quiet: false, json: false, verbose: false },
  ranks: 'first',
  run: doctorCommand,
});

/** A heading and what stands under it. */
type Fact = readonly [label: string, value: string];

async function doctorCommand({ adapter }: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const homes = await findHomes(io);
  const problems: string[] = [];
  const heading = (text: string): void => output.result(`\n${output.colors.bold(text)}`);
  const facts = (rows: readonly Fact[]): void =>
    output.result(rows.map(([label, value]) => `  ${label.padEnd(12)}  ${value}`).join('\n'));

  output.result(output.colors.bold('machine'));
  const processors = cpus();
  facts([
    ...Object.entries(versions()),
    ['processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${plural(processors.length, 'core')}`],
    ['memory', `${bytes(totalmem())}, ${bytes(freemem())} free`],
  ]);

  heading('adapter');
  const device = await openDevice(adapter === undefined ? {} : { adapter }).catch((error: unknown) => explain(error));
  if (typeof device === 'string') {
    facts([['found', 'none']]);
    problems.push(
      adapter === undefined
        ? `No WebGPU adapter was found: ${lowerFirst(driverAdvice())} Until then only a frozen trunk can be trained, on WebAssembly.`
        : `${device}.`,
    );
    output.event('adapter', { found: false, reason: device });
  } else {
    problems.push(...(await examine(device, output, facts, heading)));
    device.device.destroy();
  }

  heading('THAW_HOME');
  problems.push(...(await lookAround(homes, io.cwd, output, facts)));

  const ready = problems.length === 0;
  output.event('verdict', { ready, problems });
  output.result('');
  if (!ready) throw new CommandError(problems.join(' '));
  output.result(output.colors.green('This machine is ready: layers can be thawed and trained on it.'));
}

async function examine(
  opened: OpenedDevice,
  output: Output,
  facts: (rows: readonly Fact[]) => void,
  heading: (text: string) => void,
): Promise<string[]> {
  const { name, vendor, architecture, driver, isSoftware, features, matrixUnit, limits } = opened;
  output.event('adapter', { found: true, name, vendor, architecture, driver, isSoftware, features, matrixUnit: matrixUnit ?? null, limits }); // prettier-ignore
  facts([
    ['name', name],
    ['kind', isSoftware ? 'a processor that plays a GPU: everything works, slowly' : 'GPU'],
    ['vendor', [vendor, architecture].filter(Boolean).join(', ') || 'not told'],
    ['driver', driver || 'not told'],
    ['features', features.join(', ') || 'none of those Thaw can use'],
    ['matrix units', matrixText(opened)],
  ]);
  const checked = checkLimits(limits);
  heading('limits');
  output.result(indent(limitTable(checked, output)));
  for (const check of checked) output.event('limit', { ...check });
  heading('one convolution, forward and backward, against float64');
  const backend = register(opened.device);
  const results = await selfCheck(backend).catch((error: unknown) => explain(error));
  if (typeof results === 'string') {
    output.result(`  failed: ${results}`);
    return [`The device cannot run a convolution: ${results} Update its driver.`];
  }
  for (const result of results) output.event('check', { ...result });
  output.result(indent(checkTable(results, output)));
  if (matrixUnit) await checkMatrices(backend, output, heading);
  const wrong = results.filter(({ ok }) => !ok);
  const short = checked.filter(({ ok }) => !ok);
  return [
    ...(wrong.length > 0
      ? [
          `The device computes wrongly (${wrong.map((one) => one.name).join(', ')}): update its driver, or use --backend wasm.`,
        ]
      : []),
    ...(short.length > 0
      ? [
          `The device's limits are below what Thaw needs (${short.map((one) => one.name).join(', ')}): update its driver, or choose another with --adapter.`,
        ]
      : []),
  ];
}

function matrixText({ matrixUnit, features }: OpenedDevice): string {
  if (matrixUnit) return `${matrixUnit.M} x ${matrixUnit.N} x ${matrixUnit.K}, float16 into float32`;
  return features.some((name) => name.includes('matrix'))
    ? 'found, but none of float16 into float32 in subgroups of one size'
    : 'none that the driver and Dawn offer';
}

/** What fails here costs speed alone: mixed precision does without. */
async function checkMatrices(backend: ThawBackend, output: Output, heading: (text: string) => void): Promise<void> {
  const results = await checkMatrixUnit(backend).catch((error: unknown) => explain(error));
  if (results.length === 0) return; // a software device, which is faster without
  heading('the same on matrix units');
  if (typeof results === 'string') {
    output.event('check', { name: 'matrix units', ok: false, problem: results });
    output.result(`  failed, and mixed precision does without them: ${results}`);
    return;
  }
  for (const result of results) output.event('check', { ...result });
  output.result(indent(checkTable(results, output)));
  if (results.some(({ ok }) => !ok)) output.result('  Mixed precision does without them.');
}

function limitTable(checks: readonly LimitCheck[], { colors }: Output): string {
  return table(
    [{ title: 'limit' }, { title: 'needed', align: 'right' }, { title: 'had', align: 'right' }, { title: '' }],
    checks.map(({ name, needed, had, ok }) => [
      name,
      count(needed),
      count(had),
      ok ? colors.green('ok') : colors.red('too low'),
    ]),
    colors,
  );
}

function checkTable(results: readonly SelfCheckResult[], { colors }: Output): string {
  return table(
    [
      { title: 'check' },
      { title: 'largest error', align: 'right' },
      { title: 'allowed', align: 'right' },
      { title: '' },
    ],
    results.map(({ name, maxError, bound, ok }) => [
      name,
      maxError.toExponential(1),
      bound.toExponential(1),
      ok ? colors.green('ok') : colors.red('wrong'),
    ]),
    colors,
  );
}

async function lookAround(
  homes: Homes,
  cwd: string,
  output: Output,
  facts: (rows: readonly Fact[]) => void,
): Promise<string[]> {
  const problems: string[] = [];
  const inventory = await takeInventory(homes);
  for (const { folder, weights, datasets, features } of inventory) {
    const writable = await canWrite(folder);
    output.event('home', { folder, writable, weights, datasets, features });
    facts([
      ['folder', `${folder}${writable ? '' : ' (read-only: what is cached or fetched goes to the next folder)'}`],
      ['weights', weights.join(', ') || 'none'],
      ['data sets', datasets.join(', ') || 'none'],
      [
        'features',
        features.files === 0 ? 'none cached' : `${plural(features.files, 'cached file')}, ${bytes(features.bytes)}`,
      ],
    ]);
  }
  if (!(await canWrite(homes.cacheHome)))
    problems.push(`${homes.cacheHome} cannot be written: set THAW_HOME to a folder that can be.`);
  const here = await canWrite(cwd);
  facts([['runs go to', `${cwd}${here ? '' : ' (cannot be written)'}/runs`]]);
  if (!here) problems.push(`${cwd} cannot be written: go elsewhere, or name a run folder with --output.`);
  return problems;
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
