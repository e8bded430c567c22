// Starts the peers that a benchmark asks for.
import type { EngineName } from '../engines/engine.ts';
import { Peer } from './peer.ts';

/** The caller stops them. @throws PeerError when one does not start; none is left then */
export async function startPeers(names: readonly EngineName[], adapter: string | undefined): Promise<Peer[]> {
  const peers: Peer[] = [];
  try {
    for (const name of names) peers.push(await Peer.start(name, adapter));
  } catch (error) {
    for (const peer of peers) peer.stop();
    throw error;
  }
  return peers;
}
