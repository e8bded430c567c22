// What a run's folder has of its ranks.
import { hostname } from 'node:os';
import type { Io } from '../io.ts';
import type { RunConfig } from '../runs/config.ts';
import type { OpenBackend } from '../session/backend.ts';
import type { Ranks } from './ranks.ts';

/** Undefined where there is one rank. Collective. */
export async function ranksInfo({ job }: Io, ranks: Ranks, { info }: OpenBackend): Promise<RunConfig['ranks']> {
  if (ranks.size === 1) return undefined;
  const { backend, name, driver } = info;
  const devices = await ranks.gather({ host: hostname(), backend, name, driver });
  return { size: ranks.size, launcher: job?.launcher ?? '', library: job?.library ?? '', devices };
}
