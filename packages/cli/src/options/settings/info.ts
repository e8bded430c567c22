// How a setting appears on the command line, and words that many of them share.

/** An option without its group, which is that of its file. */
export interface OptionText {
  readonly flags: string;
  readonly description: string;
  /** What a good value is, completing "... is not". */
  readonly expected: string;
  /** The valid words, where there is a list. */
  readonly values?: readonly string[];
  /** How the flag's text becomes the value; text as it is when absent. */
  readonly number?: true;
}

/** An option for each of the settings of a group. */
export type OptionsOf<Group> = { readonly [Name in keyof Group]: OptionText };

export const whole = (least: number) => ({ number: true, expected: `a whole number of at least ${least}` }) as const;
export const real = (expected: string) => ({ number: true, expected }) as const;
export const words = (values: readonly string[]) => ({ values, expected: `one of ${values.join(', ')}` });
export const text = (expected = 'a name or path') => ({ expected });
export const share = { number: true, expected: 'a number from 0 up to, not including, 1' } as const;
export const flag = { expected: 'true or false' } as const;

/** A regular expression's source: these words, commas between them. */
export const listOf = (among: readonly string[]): string => `(${among.join('|')})(,(${among.join('|')}))*`;
