// What ranks must agree on, as facts: options, files.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { flagOf, isSetting } from '../options/settings.ts';
import { partHash, type RunData } from '../session/data.ts';
import type { Facts } from './ranks.ts';

/** Those that may differ: each rank opens a device of its own. */
const OWN: readonly string[] = ['adapter', 'verbose'];

/** Settings by their flags. */
export const optionFacts = (settings: Readonly<Record<string, unknown>>): Facts =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([name, value]) => !OWN.includes(name) && value !== undefined)
      .map(([name, value]) => [isSetting(name) ? flagOf(name) : name, String(value)]),
  );

/** Twelve digits of a hash, as messages show it; undefined where the file is not there. */
export async function fileFact(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes && shortHash(createHash('sha256').update(bytes).digest('hex'));
}

export const shortHash = (hash: string): string => hash.slice(0, 12);

/** What a run is made of, by its hashes. */
export const contentFacts = ({ train, validation, test }: RunData, weights: { readonly hash: string }): Facts => ({
  'the hash of the training images': shortHash(partHash(train)),
  'the hash of the validation images': validation && shortHash(partHash(validation)),
  'the hash of the test images': test && shortHash(partHash(test)),
  'the hash of the weights': shortHash(weights.hash),
});
