// The feature cache of several ranks: what rank 0 has kept is what all use, and it alone writes. A rank that has the same file,
// as on a file system that all share, reads it; others are sent it.
import { createHash } from 'node:crypto';
import type { Features, FeatureStore } from '@thaw/model';
import type { Ranks } from './ranks.ts';

/** @param store what a process alone would use; collective from now on */
export function cacheOfRanks(store: FeatureStore, ranks: Ranks): FeatureStore {
  if (ranks.size === 1) return store;
  return {
    async load(key) {
      const own = await store.load(key);
      const told = await ranks.gather(own ? digest(own) : null);
      const [first] = told;
      if (!first) return undefined;
      if (own && told.every((one) => one === first)) return own;
      const values = await ranks.bytesFromFirst(async () => own && bytesOf(own.values));
      const labels = await ranks.bytesFromFirst(async () => own && bytesOf(own.labels));
      const width = await ranks.fromFirst(() => own?.width ?? 0);
      if (!values || !labels) return undefined;
      return { values: new Float32Array(values.slice().buffer), labels: new Int32Array(labels.slice().buffer), width };
    },
    save: async (key, features) => {
      if (ranks.isFirst) await store.save(key, features);
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const digest = ({ values, labels, width }: Features): string =>
  createHash('sha256').update(bytesOf(values)).update(bytesOf(labels)).update(String(width)).digest('hex');
