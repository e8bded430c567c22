// What --grid says, checked before the first trial: options of thaw train and the values to try.
import type { Axis } from '@thaw/model';
import { UsageError } from '../errors.ts';
import { flagOf, isSetting, isSwitch, type SettingName } from '../options/settings.ts';
import { nearest } from '../text/nearest.ts';

/** Options of thaw train that are no matter of a search. */
const NOT_SEARCHED: readonly string[] = ['resume', 'output', 'config', 'json', 'quiet', 'verbose', 'timeBudget'];

const RANGE = /^(-?[\d.]+(?:e-?\d+)?)\.\.(-?[\d.]+(?:e-?\d+)?)$/i;

/**
 * @param known settings of thaw train
 * @param isRandom whether ranges will do
 * @throws UsageError naming what is valid
 */
export function parseAxes(grid: readonly string[], known: readonly string[], isRandom: boolean): Axis[] {
  const valid = known.filter(isSetting).filter((name) => !NOT_SEARCHED.includes(name));
  const axes = grid.map((text): Axis => {
    const at = text.indexOf('=');
    const [word, values] = [text.slice(0, at), text.slice(at + 1)];
    const name = settingOf(word, valid);
    const range = RANGE.exec(values);
    if (!range) return { name, values: values.split(values.includes('|') ? '|' : ',').map((value) => value.trim()) };
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (!isRandom)
      throw new UsageError(
        `--grid: ${word}=${values} is a range, which a grid cannot try; list values, or add --random <n>.`,
      );
    if (!(low < high))
      throw new UsageError(`--grid: ${word}=${values} is no range: its first number must be below its second.`);
    return { name, low, high };
  });
  const twice = axes.find(({ name }, i) => axes.findIndex((other) => other.name === name) < i);
  if (twice) throw new UsageError(`--grid: ${wordOf(twice.name)} is there twice; put all of its values into one.`);
  return axes;
}

function settingOf(word: string, valid: readonly SettingName[]): SettingName {
  const name = valid.find((one) => wordOf(one) === word);
  if (name !== undefined) return name;
  const words = valid.map(wordOf);
  const near = nearest(word, words);
  throw new UsageError(
    `--grid: ${word} is no option of thaw train to search over${near ? `; did you mean ${near}?` : `. There are ${words.join(', ')}.`}`,
  );
}

/** "learningRate" as it is typed: "learning-rate". */
export const wordOf = (name: string): string => (isSetting(name) ? flagOf(name).replace(/^--(no-)?/, '') : name);

/** A value of the grid as a flag gives it. @throws UsageError where a switch is neither on nor off */
export function flagValue(name: string, value: string): unknown {
  if (!isSetting(name) || !isSwitch(name)) return value;
  if (value !== 'true' && value !== 'false')
    throw new UsageError(`--grid: ${wordOf(name)} is true or false, not "${value}".`);
  return value === 'true';
}
