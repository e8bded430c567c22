// Settles the settings of a run that names no preset: what was not given is chosen, after a look at the data and, where time
// decides, a short measurement of the device.
import { flagOf, isSwitch, type SettingName, type SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { thawsTrunk } from '../session/classifier.ts';
import { keptAt } from '../session/features.ts';
import type { Homes } from '../session/home.ts';
import { duration } from '../text/format.ts';
import type { Choice } from './choice.ts';
import { budgetSeconds, choose } from './choose.ts';
import { dataFacts, probeTrunk, type ProbeRequest } from './facts.ts';
import { SIZES } from './size.ts';

/** Time of a run where none is given. */
const DEFAULT_BUDGET = '20m';
/** Of the largest tensor, where the device does not say: WebGPU's guaranteed least. */
const LEAST_BINDING = 2 ** 27;

export interface DecideRequest extends Omit<ProbeRequest, 'settings'> {
  /** What was given. */
  readonly settings: SomeSettings & { readonly seed: number };
  /** When the command began, of performance.now(). */
  readonly begun: number;
  /** Where features are kept. */
  readonly homes: Homes;
  readonly output: Output;
  /** Ranks that train together; default one. */
  readonly ranks?: number | undefined;
}

/** @returns what was chosen; nothing where all was given */
export async function decide(request: DecideRequest): Promise<Choice[]> {
  const { settings, backend, data, output, begun, homes, weights, ranks = 1 } = request;
  const { timeBudget, imageSize, limitTrain, thaw = 'none', batchNorm = 'keras' } = settings;
  const { precision = 'float32', cacheFeatures = true } = settings;
  const seconds = budgetSeconds(timeBudget ?? DEFAULT_BUDGET);
  // A size that was given is taken, unless the time was given too.
  const isTimed = imageSize === undefined || (timeBudget !== undefined && limitTrain === undefined);
  if (isTimed) output.say('looking at the data, and how fast the device is ...');
  // Of all ranks, should each be as fast as this one.
  const pixelsPerSecond = isTimed ? ranks * (await probeTrunk(request)) : undefined;
  const { name, isSoftware } = backend.info;
  const maxTensorBytes = backend.opened?.device.limits.maxStorageBufferBindingSize ?? LEAST_BINDING;
  const sizes = cacheFeatures ? (imageSize === undefined ? SIZES : [imageSize]) : [];
  const choices = choose(settings, {
    data: await dataFacts(data, (part) => keptAt(sizes, part, { homes, weights, precision })),
    device: { name, isSoftware, canThaw: backend.canThaw, pixelsPerSecond, maxTensorBytes },
    seconds: Math.max(0, seconds - (performance.now() - begun) / 1000),
    isThawed: thawsTrunk({ thaw, batchNorm }),
    ranks,
  });
  if (choices.length > 0) {
    output.event('choices', { seconds, pixelsPerSecond, choices });
    const budget = `${duration(seconds)}${timeBudget === undefined ? ', where --time-budget gives no other' : ' (--time-budget)'}`;
    output.say(
      `chosen${isTimed ? ` for about ${budget}` : ''}; each flag changes its line:\n${choicesText(choices)}\n`,
    );
  }
  return choices;
}

/** A line for each choice: flags, then the reason. */
export function choicesText(choices: readonly Choice[]): string {
  const rows = choices.map(({ settings, reason }) => [Object.entries(settings).map(([name, value]) => flagText(name as SettingName, value)).join(' '), reason]); // prettier-ignore
  const width = Math.max(...rows.map(([flags = '']) => flags.length));
  return rows.map(([flags = '', reason = '']) => `  ${flags.padEnd(width)}  ${reason}`).join('\n');
}

const flagText = (name: SettingName, value: unknown): string =>
  isSwitch(name) ? flagOf(name) : `${flagOf(name)} ${String(value)}`;
