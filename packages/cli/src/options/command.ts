// Adds settings to a commander command as options in groups, and gives back what was typed.
import { Option, type Command } from 'commander';
import type { Layer } from './resolve.ts';
import { flagOf, GROUPS, isSwitch, OPTION_INFO, type SettingName } from './settings.ts';

/** A setting, alone or with a word about it that holds for one command only. */
export type OptionUse =
  | SettingName
  | readonly [SettingName, { readonly description?: string; readonly flags?: string; readonly default?: string }];

/** Adds the options, in the order of the groups. */
export function addOptions(command: Command, uses: readonly OptionUse[]): Command {
  const options = uses.map((use) =>
    typeof use === 'string' ? { name: use, over: {} } : { name: use[0], over: use[1] },
  );
  for (const group of GROUPS) {
    for (const { name, over } of options) {
      const info = { ...OPTION_INFO[name], ...over };
      if (info.group !== group) continue;
      const note = over.default === undefined ? '' : ` (default: ${over.default})`;
      command.addOption(new Option(info.flags, info.description + note).helpGroup(`${group}:`));
    }
  }
  return command;
}

/** Only what was typed: commander's own defaults (such as true for --no-x) are left out. */
export function typedFlags(command: Command): Layer {
  const all: Record<string, unknown> = command.opts();
  return Object.fromEntries(Object.entries(all).filter(([name]) => command.getOptionValueSource(name) === 'cli'));
}

export { flagOf, isSwitch };
