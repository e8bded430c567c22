// The feature cache: one file for each part of a data set, whatever part it plays in a run.
import { join } from 'node:path';
import type { Preprocessing } from '@thaw/data';
import {
  VARIANTS,
  type Features,
  type FeatureStore,
  type Precision,
  type TrunkFeatures,
  type TrunkWeights,
} from '@thaw/model';
import { FileFeatureStore } from '@thaw/model/node';
import { cacheOfRanks } from '../ranks/feature-cache.ts';
import { ALONE, type Ranks } from '../ranks/ranks.ts';
import { exists } from '../runs/folder.ts';
import { partHash, type Part } from './data.ts';
import type { Homes } from './home.ts';

/** Of the one entry that each store has. */
const KEY = 'features';

export interface FeatureCacheOptions {
  readonly homes: Homes;
  readonly weights: TrunkWeights;
  readonly features: TrunkFeatures;
  /** The parts by the names that training asks for. */
  readonly parts: Readonly<Record<string, Part | undefined>>;
  readonly onNote?: ((note: string) => void) | undefined;
  /** Those that use it together; default this process alone. */
  readonly ranks?: Ranks | undefined;
}

/** How the trunk makes features of images. */
interface From {
  readonly preprocessing: Preprocessing;
  readonly pooling: 'average' | 'flatten';
  readonly imageSize: number;
  readonly precision: Precision;
}

function storeOf(
  homes: Homes,
  weights: TrunkWeights,
  part: Part,
  { preprocessing, pooling, imageSize, precision }: From,
  onNote?: (note: string) => void,
): FileFeatureStore {
  const key = { weightsHash: weights.hash, preprocessing: `${preprocessing}/${pooling}`, imageSize, precision, dataHash: partHash(part) }; // prettier-ignore
  return new FileFeatureStore(join(homes.cacheHome, 'features'), key, onNote);
}

/** Whether averaged features of a part are kept, of images of each of `sizes`. */
export async function keptAt(
  sizes: readonly number[],
  part: Part,
  {
    homes,
    weights,
    precision,
  }: { readonly homes: Homes; readonly weights: TrunkWeights; readonly precision: Precision },
): Promise<ReadonlySet<number>> {
  const { preprocessing } = VARIANTS[weights.variant];
  const found = await Promise.all(
    sizes.map((imageSize) => exists(storeOf(homes, weights, part, { preprocessing, pooling: 'average', imageSize, precision }).path(KEY))), // prettier-ignore
  );
  return new Set(sizes.filter((_, i) => found[i]));
}

export function featureCache({
  homes,
  weights,
  features: { network, width, imageSize },
  parts,
  onNote,
  ranks = ALONE,
}: FeatureCacheOptions): FeatureStore {
  // Flattened and averaged maps are the same file only where the map is one pixel.
  const pooling = width === network.channels ? 'average' : 'flatten';
  const stores = new Map<string, FileFeatureStore>();
  for (const [name, part] of Object.entries(parts)) {
    if (!part) continue;
    const from = { preprocessing: network.variant.preprocessing, pooling, imageSize, precision: network.precision } as const; // prettier-ignore
    stores.set(name, storeOf(homes, weights, part, from, onNote));
  }
  const store: FeatureStore = {
    load: async (key: string): Promise<Features | undefined> => stores.get(key)?.load(KEY),
    save: async (key: string, features: Features): Promise<void> => {
      await stores
        .get(key)
        ?.save(KEY, features)
        .catch((error: unknown) => {
          onNote?.(`features could not be cached: ${error instanceof Error ? error.message : String(error)}`);
        });
    },
  };
  return cacheOfRanks(store, ranks);
}
