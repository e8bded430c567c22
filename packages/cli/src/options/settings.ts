// Every setting a command can have: its type, its flag, its group in --help and the words for a wrong value; a file a group.
import { z } from 'zod';
import { classifierOptions, classifierSettings } from './settings/classifier.ts';
import { dataOptions, dataSettings } from './settings/data.ts';
import { deviceOptions, deviceSettings } from './settings/device.ts';
import { generalOptions, generalSettings } from './settings/general.ts';
import type { OptionText } from './settings/info.ts';
import { measurementOptions, measurementSettings } from './settings/measurement.ts';
import { modelOptions, modelSettings } from './settings/model.ts';
import { outputOptions, outputSettings } from './settings/output.ts';
import { rankOptions, rankSettings } from './settings/ranks.ts';
import { scalingOptions, scalingSettings } from './settings/scaling.ts';
import { searchOptions, searchSettings } from './settings/search.ts';
import { serverOptions, serverSettings } from './settings/server.ts';
import { trainingOptions, trainingSettings } from './settings/training.ts';

export type { BackendChoice } from './settings/device.ts';
export { PEERS } from './settings/measurement.ts';
export { PRECISIONS, PRESET_NAMES, WEIGHT_SOURCES, type PresetName, type WeightSource } from './settings/model.ts';
export { ANSWER_FORMATS, EXPORT_FORMATS, type AnswerFormat, type ExportFormat } from './settings/output.ts';

/** The settings, as a configuration file spells them. A flag is the same word in kebab case. */
export const settings = z.strictObject({
  ...dataSettings,
  ...modelSettings,
  ...classifierSettings,
  ...trainingSettings,
  ...rankSettings,
  ...searchSettings,
  ...measurementSettings,
  ...scalingSettings,
  ...serverSettings,
  ...deviceSettings,
  ...outputSettings,
  ...generalSettings,
});

export type Settings = z.infer<typeof settings>;
export type SettingName = keyof Settings;
/** Any of the settings; undefined counts as not given. */
export type SomeSettings = { readonly [Name in SettingName]?: Settings[Name] | undefined };

export const GROUPS = [
  'Data',
  'Model',
  'Classifier',
  'Training',
  'Ranks',
  'Search',
  'Measurement',
  'Server',
  'Device',
  'Output',
  'General',
] as const;
export type Group = (typeof GROUPS)[number];

/** How a setting appears on the command line. */
export interface OptionInfo extends OptionText {
  readonly group: Group;
}

const inGroup = <Name extends string>(
  group: Group,
  options: Readonly<Record<Name, OptionText>>,
): Record<Name, OptionInfo> =>
  Object.fromEntries(
    Object.entries<OptionText>(options).map(([name, option]) => [name, { ...option, group }]),
  ) as Record<Name, OptionInfo>;

export const OPTION_INFO: Readonly<Record<SettingName, OptionInfo>> = {
  ...inGroup('Data', dataOptions),
  ...inGroup('Model', modelOptions),
  ...inGroup('Classifier', classifierOptions),
  ...inGroup('Training', trainingOptions),
  ...inGroup('Ranks', rankOptions),
  ...inGroup('Search', searchOptions),
  ...inGroup('Measurement', measurementOptions),
  ...inGroup('Measurement', scalingOptions),
  ...inGroup('Server', serverOptions),
  ...inGroup('Device', deviceOptions),
  ...inGroup('Output', outputOptions),
  ...inGroup('General', generalOptions),
};

/** "learningRate" as the flag a person types: "--learning-rate". */
export function flagOf(name: SettingName): string {
  return /--[\w-]+(?=( <[^>]*>)?$)/.exec(OPTION_INFO[name].flags)?.[0] ?? `--${name}`;
}

/** Whether a word is the name of a setting. */
export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(OPTION_INFO, name);
}

/** Whether the setting is switched by its flag alone. */
export const isSwitch = (name: SettingName): boolean => !OPTION_INFO[name].flags.includes('<');
