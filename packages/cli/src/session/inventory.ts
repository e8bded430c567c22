// What lies in THAW_HOME: weights, data sets, cached features.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Homes } from './home.ts';

export interface Inventory {
  readonly folder: string;
  readonly weights: readonly string[];
  readonly datasets: readonly string[];
  readonly features: { readonly files: number; readonly bytes: number };
}

/** One inventory for each folder that is looked into. */
export async function takeInventory(homes: Homes): Promise<Inventory[]> {
  return Promise.all(
    homes.all.map(async (folder) => {
      const features = await names(join(folder, 'features'));
      const sizes = await Promise.all(features.map((name) => stat(join(folder, 'features', name)).then(({ size }) => size, () => 0))); // prettier-ignore
      return {
        folder,
        weights: await names(join(folder, 'weights')),
        datasets: await names(join(folder, 'datasets')),
        features: { files: features.length, bytes: sizes.reduce((sum, size) => sum + size, 0) },
      };
    }),
  );
}

async function names(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch(() => []);
  return found.filter((name) => !name.startsWith('.') && !/\.(part|part\.json|lock|tmp)$/.test(name)).sort();
}
