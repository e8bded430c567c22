// The phases of a run as its settings have them, and the network of each.
import { FreezeSpecError, layerTable, phases, VARIANTS, type Architecture, type Phase } from '@thaw/model';
import { UsageError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import { plural } from '../text/format.ts';
import type { NetworkSettings } from './classifier.ts';

export type PhaseSettings = Pick<Settings, 'thaw' | 'epochs' | 'learningRate' | 'schedule'> &
  Pick<SomeSettings, 'method' | 'headEpochs' | 'warmup' | 'patience'>;

/** At least one. @throws UsageError where the method and what is to thaw contradict each other */
export function phasesOf(settings: PhaseSettings, architecture?: Architecture): [Phase, ...Phase[]] {
  const { method, thaw, epochs, headEpochs = 20, learningRate, schedule: kind, warmup, patience } = settings;
  const table = layerTable(VARIANTS.keras, { imageSize: 32, ...(architecture && { architecture }) });
  try {
    const request = { method, thaw, epochs, headEpochs, learningRate, schedule: { kind, warmup }, patience };
    const [first, ...rest] = phases(request, table);
    if (!first) throw new Error('a training without a phase');
    return [first, ...rest];
  } catch (error) {
    if (error instanceof FreezeSpecError)
      throw new UsageError(`--${method === undefined ? 'thaw' : 'method'}: ${error.message}`);
    throw error;
  }
}

/** What a phase's network is like: a head that trains first does so on a trunk that stays as it is. */
export function networkOf<Given extends NetworkSettings>(
  list: readonly Phase[],
  index: number,
  settings: Given,
): Given {
  const { thaw = settings.thaw, augments = true } = list[index] ?? {};
  return { ...settings, thaw, batchNorm: !augments && settings.batchNorm === 'train' ? 'frozen' : settings.batchNorm };
}

/** A line for each phase, where there are several. */
export function phaseRows(list: readonly Phase[]): string[] {
  if (list.length < 2) return [];
  const width = Math.max(...list.map(({ name = '' }) => name.length));
  return list.map(({ name = '', epochs, learningRate, schedule, patience }, i) => {
    const parts = [
      `at most ${plural(epochs, 'epoch')}`,
      `learning rate ${learningRate} (${schedule.kind})`,
      ...(patience === undefined ? [] : [`ending after ${patience} without a better one`]),
    ];
    return `phase ${i + 1}/${list.length} ${name.padEnd(width)}  ${parts.join(', ')}`;
  });
}
