// From what was typed to checked settings: defaults, then the preset, then the configuration file, then the flags.
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { UsageError, explain } from '../errors.ts';
import { nearest } from '../text/nearest.ts';
import { PRESETS } from './presets.ts';
import {
  flagOf,
  isSetting,
  isSwitch,
  OPTION_INFO,
  PRESET_NAMES,
  type OptionInfo,
  type SettingName,
  type SomeSettings,
} from './settings.ts';

/** One source of settings, by the name of the setting; values are not checked yet. */
export type Layer = Readonly<Record<string, unknown>>;

interface Sourced {
  readonly value: unknown;
  /** How to name the setting in a message: "--epochs" or "epochs in config.json". */
  readonly source: string;
}

/** What a command has at hand to settle its settings. */
export interface Layers {
  readonly defaults: SomeSettings;
  /** The settings of a run that is resumed. */
  readonly base?: SomeSettings | undefined;
  /** The text of the flags given. */
  readonly flags: Layer;
}

/**
 * Settles the settings of a command.
 * @throws UsageError naming the first wrong value, what would be right, and where it came from
 */
export async function resolveSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  layers: Layers,
): Promise<z.infer<z.ZodObject<Shape>>> {
  const known = Object.keys(schema.shape);
  const settled = new Map<string, Sourced>();
  const lay = (layer: Layer, nameOf: (name: string) => string) => {
    for (const [name, value] of Object.entries(layer)) {
      if (value !== undefined) settled.set(name, { value, source: nameOf(name) });
    }
  };
  const config = await readConfig(layers.flags['config'], known);
  const preset = layers.flags['preset'] ?? config.values['preset'];
  lay(layers.defaults, (name) => name);
  lay(layers.base ?? {}, (name) => `${name} of the run`);
  if (isPreset(preset)) lay(PRESETS[preset], (name) => `${name} of ${preset}`);
  lay(config.values, (name) => `${name} in ${config.path}`);
  lay(readFlags(layers.flags), (name) => (isSetting(name) ? flagOf(name) : name));
  for (const name of settled.keys()) if (!known.includes(name)) settled.delete(name);

  const parsed = schema.safeParse(Object.fromEntries([...settled].map(([name, { value }]) => [name, value])));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = String(issue?.path[0] ?? '');
  // A command may know only some of a setting's words.
  const values = issue?.code === 'invalid_value' ? issue.values.map(String) : undefined;
  throw new UsageError(complaint(name, settled.get(name), values));
}

const isPreset = (value: unknown): value is keyof typeof PRESETS => PRESET_NAMES.some((name) => name === value);

/** Flags are text; numbers among them become numbers, and what is no number stays text to be complained of. */
function readFlags(flags: Layer): Layer {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => {
      if (!isSetting(name) || isSwitch(name) || typeof value !== 'string' || !OPTION_INFO[name].number)
        return [name, value];
      return [name, value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
    }),
  );
}

async function readConfig(path: unknown, known: readonly string[]): Promise<{ path: string; values: Layer }> {
  if (typeof path !== 'string') return { path: '', values: {} };
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--config: ${explain(error)}`);
  });
  let values: unknown;
  try {
    values = JSON.parse(content);
  } catch (error) {
    throw new UsageError(`--config: ${path} is not JSON: ${explain(error)}.`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(`--config: ${path} must hold one JSON object, such as {"preset": "article-1", "epochs": 5}.`);
  }
  const allowed = known.filter((name) => name !== 'config');
  for (const name of Object.keys(values)) {
    if (allowed.includes(name)) continue;
    const near = nearest(name, allowed);
    throw new UsageError(
      `${path}: there is no setting "${name}"${near ? `; did you mean "${near}"?` : `. Settings: ${allowed.join(', ')}.`}`,
    );
  }
  return { path, values: { ...values } };
}

/** Why the value of a setting will not do. */
function complaint(name: string, given: Sourced | undefined, values?: readonly string[]): string {
  if (!isSetting(name)) return `"${name}" is not a setting.`;
  if (given === undefined) return `${flagOf(name)} is missing: ${OPTION_INFO[name].description}.`;
  return wrongValue(name, given.value, given.source, values && { values, expected: `one of ${values.join(', ')}` });
}

/** "--optimizer: "adm" is not one of adam, sgd; did you mean adam?" */
export function wrongValue(
  name: SettingName,
  value: unknown,
  source: string = flagOf(name),
  { expected, values }: Pick<OptionInfo, 'expected' | 'values'> = OPTION_INFO[name],
): string {
  const near = values && typeof value === 'string' ? nearest(value, values) : undefined;
  const shown = typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
  return `${source}: ${shown} is not ${expected}${near ? `; did you mean ${near}?` : '.'}`;
}
