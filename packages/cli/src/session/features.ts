// The feature cache: one file for each part of a data set, whatever part it plays in a run.
import { join } from 'node:path';
import type { Features, FeatureStore, TrunkFeatures, TrunkWeights } from '@thaw/model';
import { FileFeatureStore } from '@thaw/model/node';
import { partHash, type Part } from './data.ts';
import type { Homes } from './home.ts';

export interface FeatureCacheOptions {
  readonly homes: Homes;
  readonly weights: TrunkWeights;
  readonly features: TrunkFeatures;
  /** The parts by the names that training asks for. */
  readonly parts: Readonly<Record<string, Part | undefined>>;
  readonly onNote?: ((note: string) => void) | undefined;
}

export function featureCache({
  homes,
  weights,
  features: { network, width, imageSize },
  parts,
  onNote,
}: FeatureCacheOptions): FeatureStore {
  // Flattened and averaged maps are the same file only where the map is one pixel.
  const pooling = width === network.channels ? 'average' : 'flatten';
  const stores = new Map<string, FileFeatureStore>();
  for (const [name, part] of Object.entries(parts)) {
    if (!part) continue;
    const key = {
      weightsHash: weights.hash,
      preprocessing: `${network.variant.preprocessing}/${pooling}`,
      imageSize,
      precision: network.precision,
      dataHash: partHash(part),
    };
    stores.set(name, new FileFeatureStore(join(homes.cacheHome, 'features'), key, onNote));
  }
  return {
    load: async (key: string): Promise<Features | undefined> => stores.get(key)?.load('features'),
    save: async (key: string, features: Features): Promise<void> => {
      await stores
        .get(key)
        ?.save('features', features)
        .catch((error: unknown) => {
          onNote?.(`features could not be cached: ${error instanceof Error ? error.message : String(error)}`);
        });
    },
  };
}
