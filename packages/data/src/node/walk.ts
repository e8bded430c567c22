// Every image under a folder, hidden files left out, in the same order on every platform.

import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isImageName } from './decode.ts';
import { statOrNull, visibleEntries } from './paths.ts';

export interface Found {
  /** Paths relative to the folder, with forward slashes. */
  readonly images: string[];
  /** Files that are not images by their names, likewise. */
  readonly ignored: string[];
}

/**
 * Links to files and folders are followed; a link back to a folder it lies in is not.
 * @param outer a folder around this one that a link may not lead back to either: the one of all classes
 */
export async function findImages(folder: string, outer?: string): Promise<Found> {
  const found: Found = { images: [], ignored: [] };
  await walk(folder, '', found, outer === undefined ? [] : [await realpath(outer).catch(() => outer)]);
  return found;
}

async function walk(folder: string, prefix: string, found: Found, ancestors: readonly string[]): Promise<void> {
  const real = await realpath(folder).catch(() => folder);
  if (ancestors.includes(real)) return;
  for (const entry of await visibleEntries(folder)) {
    const path = join(folder, entry.name);
    const name = prefix + entry.name;
    const isFolder = entry.isSymbolicLink() ? ((await statOrNull(path))?.isDirectory() ?? false) : entry.isDirectory();
    if (isFolder) await walk(path, `${name}/`, found, [...ancestors, real]);
    else (isImageName(name) ? found.images : found.ignored).push(name);
  }
}

/** "3 files that are not images (a.txt, b.csv, notes.md)", with at most three names. */
export function describeIgnored(ignored: readonly string[]): string {
  const names = ignored.slice(0, 3).join(', ') + (ignored.length > 3 ? ', ...' : '');
  return `${ignored.length} file${ignored.length === 1 ? '' : 's'} that ${ignored.length === 1 ? 'is not an image' : 'are not images'} (${names})`;
}
