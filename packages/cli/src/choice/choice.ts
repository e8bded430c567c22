// What a choice is: some settings, and why.
import type { SomeSettings } from '../options/settings.ts';

/** Settings that go together, and why they are as they are. */
export interface Choice {
  readonly settings: SomeSettings;
  readonly reason: string;
}

/** The choices over what was given. */
export const settled = (given: SomeSettings, choices: readonly Choice[]): SomeSettings =>
  choices.reduce<SomeSettings>((all, { settings }) => ({ ...all, ...settings }), given);
