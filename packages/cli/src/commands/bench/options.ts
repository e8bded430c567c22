// Options that the benchmarks share, and how they read them.
import type { Ceilings, EngineName } from '@thaw/bench';
import { UsageError } from '../../errors.ts';
import { PEERS, type Settings } from '../../options/settings.ts';

/** How kernels of this precision store activations and filters. */
export const storedIn = (precision: Settings['precision']): 'float16' | 'float32' =>
  precision === 'mixed' ? 'float16' : 'float32';

/** "tfjs-webgpu,tfjs-cpu" as names; none of undefined. */
export function peersOf(against: string | undefined): EngineName[] {
  return PEERS.filter((name) => against?.split(',').includes(name));
}

/** Whether a name has one of the comma-separated words; commas in the name do not count. Everything matches undefined. */
export function matches(name: string, filter: string | undefined): boolean {
  const plain = name.replaceAll(',', '');
  return filter?.split(',').some((word) => plain.includes(word.trim())) ?? true;
}

/** Those that the filter names, or, for words that are no whole name, those with them in their names. @throws UsageError when there are none */
export function filtered<Case extends { readonly name: string }>(
  cases: readonly Case[],
  filter: string | undefined,
): Case[] {
  const names = new Set(cases.map(({ name }) => name));
  const words = filter?.split(',').map((word) => word.trim()) ?? [''];
  const found = cases.filter(({ name }) =>
    words.some((word) => (names.has(word) ? word === name : matches(name, word))),
  );
  if (found.length === 0)
    throw new UsageError(
      `--filter: no case has "${filter}" in its name; there are ${cases.map(({ name }) => name).join('; ')}.`,
    );
  return found;
}

/** What the device was measured to do at most. */
export const ceilingsText = ({ flops, bytesPerSecond }: Ceilings): string =>
  `at most ${(flops / 1e9).toFixed(0)} GFLOP/s, ${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;
