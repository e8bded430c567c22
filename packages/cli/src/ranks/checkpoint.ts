// A checkpoint that rank 0 reads, for all ranks: its folder need not be on a file system that all of them see.
import type { Checkpoint } from '@thaw/model';
import { decodeCheckpoint, encodeCheckpoint } from '@thaw/model/node';
import type { Ranks } from './ranks.ts';

/** Collective. @param load on rank 0 */
export async function checkpointOfRanks(
  ranks: Ranks,
  load: () => Promise<Checkpoint | undefined>,
): Promise<Checkpoint | undefined> {
  if (ranks.size === 1) return load();
  const own = await ranks.onFirst(load, undefined);
  const bytes = await ranks.bytesFromFirst(async () => own && encodeCheckpoint(own));
  return own ?? (bytes && decodeCheckpoint(bytes.slice(), "rank 0's checkpoint"));
}
