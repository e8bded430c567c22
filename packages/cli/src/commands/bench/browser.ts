// thaw bench browser: Thaw, tfjs-webgpu and tfjs-webgl in turns in one page of a browser.
import { resolve } from 'node:path';
import { benchBrowser, BROWSER_CASES, BROWSER_PEERS, summariseKernels, type BrowserEnvironment, type BrowserResult } from '@thaw/bench'; // prettier-ignore
import type { z } from 'zod';
import { CommandError, UsageError } from '../../errors.ts';
import { settings as allSettings } from '../../options/settings.ts';
import type { Output } from '../../output.ts';
import { writeKernelReport } from '../../report/kernels.ts';
import { milliseconds } from '../../text/format.ts';
import { familyTable, rowTable, times } from '../../text/kernel-tables.ts';
import { versions } from '../../versions.ts';
import { defineCommand, type Context } from '../command.ts';
import { ceilingsText, filtered } from './options.ts';

const schema = allSettings
  .pick({
    filter: true,
    imageSize: true,
    rounds: true,
    seconds: true,
    html: true,
    graphics: true,
    open: true,
    seed: true,
    quiet: true,
    json: true,
    config: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ filter: true, html: true, config: true });

export const benchBrowserCommand = defineCommand({
  name: 'browser',
  summary: 'time the training operations in a browser, beside tfjs-webgpu and tfjs-webgl',
  description:
    "Serves a page and opens it in a headless Chromium: ResNet-50's convolutions in three directions, batch-norm in training\n" +
    'and a dense layer in Thaw, tfjs-webgpu and tfjs-webgl, in turns on the same page. Outputs are compared before any time\n' +
    'is taken. WebGPU and WebGL fall back to software apart from each other, so both are named beside the figures.\n' +
    'CHROME_PATH names the browser where another than the one found is meant.',
  options: [
    ['filter', { default: 'all cases' }],
    ['imageSize', { description: 'layers of the network at this image size: 32 (in batches of 32) or 224 (of 4)', default: '32' }],
    ['rounds', { default: '3' }],
    ['seconds', { default: '4' }],
    'html',
    ['graphics', { default: 'auto' }],
    'open',
    ['seed', { description: 'seed of the inputs', default: '1' }],
    'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw bench browser --html browser.html', 'every case in headless Chromium, as a page too'],
    ['thaw bench browser --no-open --filter backward-filter', 'one family in the browser that opens the address'],
  ],
  schema,
  defaults: {
    imageSize: 32,
    rounds: 3,
    seconds: 4,
    graphics: 'auto',
    open: true,
    seed: 1,
    quiet: false,
    json: false,
    verbose: false,
  },
  run: runBenchBrowser,
});

async function runBenchBrowser(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  const { imageSize, open, graphics, rounds, seconds, seed } = settings;
  const atSize = BROWSER_CASES.filter((one) => (one.imageSize ?? imageSize) === imageSize);
  const sizes = [...new Set(BROWSER_CASES.flatMap((one) => one.imageSize ?? []))];
  if (!sizes.includes(imageSize))
    throw new UsageError(`--image-size: there are cases at ${sizes.join(' and ')}, not at ${imageSize}.`);
  const cases = filtered(atSize, settings.filter);
  const result = await benchBrowser({
    cases,
    against: BROWSER_PEERS,
    rounds,
    seconds,
    seed,
    graphics: open ? graphics : undefined,
    onAddress: (address) => {
      output.event('address', { address });
      if (!open) output.result(`Open ${address} in the browser to measure, and leave it in front. Ctrl-C stops.`);
    },
    onEnvironment: (environment) => {
      output.event('environment', { ...environment });
      for (const line of environmentLines(environment)) output.say(line);
      for (const warning of warningsOf(environment)) output.warn(warning);
    },
    onRow: (row) => {
      output.event('row', { ...row });
      if (row.engine === 'thaw') output.say(`${row.case}: ${milliseconds(row.milliseconds.median)} ms`);
      else output.say(`  ${row.engine}: ${milliseconds(row.milliseconds.median)} ms, ${times(row.ratio)}`);
    },
    onFailure: ({ case: name, message }) => output.warn(`${name}: no time was taken: ${message}`),
  });
  const report = reportOf(result, io.commandLine);
  output.event('result', report);
  if (settings.html !== undefined) {
    const path = resolve(io.cwd, settings.html);
    await writeKernelReport(path, report);
    output.say(path);
  }
  if (!output.json) output.result(resultText(report, output));
  const { length } = result.failures;
  if (length > 0)
    throw new CommandError(`${length} of ${cases.length} cases failed; no time was taken of them (see the warnings above).`); // prettier-ignore
}

function reportOf({ environment, rows, failures }: BrowserResult, commandLine: string) {
  const { adapter, ceilings, userAgent } = environment;
  const own = versions();
  return {
    device: { backend: 'thaw', name: adapter.name, driver: adapter.driver, isSoftware: adapter.isSoftware },
    versions: {
      ...own,
      browser: userAgent.split(' ').find((word) => /Chrome|Firefox|Version/.test(word)) ?? userAgent,
    },
    commandLine,
    created: new Date().toISOString(),
    ceilings,
    precision: 'float32',
    rows,
    families: summariseKernels(rows),
    environment,
    failures,
    heading: 'Training operations in a browser, side by side',
    notes: [...environmentLines(environment).slice(1), ...warningsOf(environment)],
  } as const;
}

function environmentLines({ adapter, renderer, userAgent, ceilings }: BrowserEnvironment): string[] {
  const subgroups = adapter.subgroupSize === undefined ? 'no subgroups of one size' : `subgroups of ${adapter.subgroupSize}`; // prettier-ignore
  return [
    `browser  ${userAgent}`,
    `WebGPU   ${adapter.name}${adapter.driver && adapter.driver !== adapter.name ? `, ${adapter.driver}` : ''}; ${subgroups}; ${ceilingsText(ceilings)}`,
    `WebGL    ${renderer ?? 'not there'}`,
  ];
}

/** What figures of this browser do not say. */
function warningsOf({ adapter, rendererIsSoftware }: BrowserEnvironment): string[] {
  if (adapter.isSoftware && rendererIsSoftware === true)
    return ['WebGPU and WebGL run in software, on the processor: these figures say nothing about a GPU.'];
  if (adapter.isSoftware) return ['WebGPU runs in software and WebGL does not: the ratios to tfjs-webgl compare a processor with a GPU. Try --graphics vulkan.']; // prettier-ignore
  if (rendererIsSoftware === true) return ['WebGL runs in software and WebGPU does not: the ratios to tfjs-webgl compare a GPU with a processor. Try --graphics gl.']; // prettier-ignore
  return [];
}

function resultText({ rows, families, environment }: ReturnType<typeof reportOf>, output: Output): string {
  const slower = slowerThanBoth(rows);
  return [
    '',
    rowTable(rows, output.colors),
    '',
    'geometric means',
    familyTable(families, output.colors),
    '',
    ...environmentLines(environment),
    ...warningsOf(environment),
    slower.length === 0 ? 'In no case is Thaw slower than both.' : `Thaw is slower than both in ${slower.join('; ')}.`,
  ].join('\n');
}

/** Cases in which both other engines are faster. */
function slowerThanBoth(rows: BrowserResult['rows']): string[] {
  const names = [...new Set(rows.map((row) => row.case))];
  return names.filter((name) => {
    const ratios = rows.flatMap((row) => (row.case === name && row.ratio !== undefined ? row.ratio : []));
    return ratios.length === BROWSER_PEERS.length && ratios.every((ratio) => ratio < 1);
  });
}
