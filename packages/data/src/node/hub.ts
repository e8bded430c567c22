// Image data sets of the Hugging Face hub: the Parquet files that the hub makes of every public data set.

import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, DatasetMissingError, DownloadError } from '../errors.ts';
import { download, type DownloadOptions } from './download.ts';
import { listed } from './class-names.ts';
import { explain, statOrNull } from './paths.ts';
import { splitNamed, type SplitFiles, type SplitName } from './split-names.ts';

const HUB = 'https://huggingface.co';
/** The branch that the hub writes. */
const BRANCH = encodeURIComponent('refs/convert/parquet');
const LISTING_TIMEOUT = 30_000;

/** A data set of the hub, and one of its configurations. */
export interface HubName {
  /** "owner/name", or "name" alone. */
  readonly id: string;
  /** Default: its only one, else "default". */
  readonly config: string | undefined;
}

/**
 * "hf:owner/name" or "hf:owner/name@config", or the address of its page; undefined for anything else.
 * @throws DataError for an hf: that is followed by no such name
 */
export function hubName(text: string): HubName | undefined {
  const rest = /^(?:hf:|https:\/\/huggingface\.co\/datasets\/)(.*)$/i.exec(text)?.[1];
  if (rest === undefined) return undefined;
  const word = '[A-Za-z0-9][A-Za-z0-9._-]*';
  const [, id, config] = new RegExp(`^(${word}(?:/${word})?)(?:@(${word}))?/?$`).exec(rest) ?? [];
  if (id === undefined || id.includes('..') || config?.includes('..')) {
    throw new DataError(`${text}: is no data set of the hub; write hf:owner/name, or hf:owner/name@config`);
  }
  return { id, config };
}

/** Where data sets of the hub are looked for, and whether they may be fetched. */
export interface HubSource extends Pick<DownloadOptions, 'onProgress' | 'signal' | 'retryDelay'> {
  /** The data folder (THAW_HOME). May be read-only where the data is in it. */
  readonly home: string;
  /** Looked into after `home`, and where missing data is put; default `home`. */
  readonly cacheHome?: string | undefined;
  /** Fetches what is missing; default true. */
  readonly download?: boolean | undefined;
  /** Another hub with the same paths; default HF_ENDPOINT, else huggingface.co. */
  readonly hub?: string | undefined;
}

interface HubFile {
  readonly path: string;
  readonly split: SplitName;
  readonly sha256: string | undefined;
}

/**
 * The files of a data set, fetched into `<home>/datasets/hub` where they are missing; each is checked by the hub's SHA-256.
 * @throws DatasetMissingError where it is missing and may not be downloaded
 * @throws DataError where the hub has no such data set, configuration or images of it
 */
export async function ensureHub(name: HubName, source: HubSource): Promise<SplitFiles> {
  const homes = [...new Set([source.home, source.cacheHome ?? source.home])];
  const folders = homes.map((home) => join(home, 'datasets', 'hub', ...name.id.split('/')));
  for (const folder of folders) {
    const found = await complete(folder, name.config);
    if (found) return found;
  }
  const title = `hf:${name.id}`;
  if (source.download === false) {
    throw new DatasetMissingError(`${title} is not in ${folders.join(' or ')}, and may not be downloaded here`);
  }
  const folder = folders.at(-1) ?? '';
  const { config, files } = await listFiles(title, name, source);
  const base = `${source.hub ?? process.env.HF_ENDPOINT ?? HUB}/datasets/${name.id}/resolve/${BRANCH}`;
  const splits: Partial<Record<SplitName, string[]>> = {};
  for (const { path, split, sha256 } of files) {
    const target = join(folder, ...path.split('/'));
    const { onProgress, signal, retryDelay } = source;
    await download(`${base}/${path}`, target, { sha256, onProgress, signal, retryDelay });
    (splits[split] ??= []).push(target);
  }
  await keepListing(folder, config, files);
  return splits;
}

async function keepListing(folder: string, config: string, files: readonly HubFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const listing = join(folder, `${config}.json`);
  await writeFile(`${listing}.part`, JSON.stringify(files.map(({ path, split }) => ({ path, split }))));
  await rename(`${listing}.part`, listing);
}

/** The files of an earlier download, where all are there: of the configuration, or of the only one that was fetched or "default". */
async function complete(folder: string, config: string | undefined): Promise<SplitFiles | null> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const listing = names.length === 1 && config === undefined ? names[0] : `${config ?? 'default'}.json`;
  const files = await readFile(join(folder, listing ?? ''), 'utf8').then(parseListing, () => undefined);
  if (!files) return null;
  const splits: Partial<Record<SplitName, string[]>> = {};
  for (const { path, split } of files) {
    const target = join(folder, ...path.split('/'));
    if (!(await statOrNull(target))) return null;
    (splits[split] ??= []).push(target);
  }
  return splits;
}

/** What keepListing wrote; undefined where it is damaged. */
function parseListing(text: string): HubFile[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as HubFile[]) : undefined;
  } catch {
    return undefined;
  }
}

/** The hub's Parquet files lie at config/split/0000.parquet. */
async function listFiles(
  title: string,
  { id, config: wanted }: HubName,
  source: HubSource,
): Promise<{ config: string; files: HubFile[] }> {
  const hub = source.hub ?? process.env.HF_ENDPOINT ?? HUB;
  const url = `${hub}/api/datasets/${id}/tree/${BRANCH}?recursive=true`;
  const entries = await fetchListing(title, url, source.signal);
  const all = entries.flatMap(({ type, path, lfs }): (HubFile & { config: string })[] => {
    const [config, folder = '', file = '', ...rest] = typeof path === 'string' ? path.split('/') : [];
    const split = splitNamed(folder.replace(/^partial-/, ''));
    const isPlain = /^[\w.-]+$/.test(`${config}${folder}${file}`) && config !== '..';
    if (type !== 'file' || typeof path !== 'string' || config === undefined || rest.length > 0 || !isPlain) return [];
    if (!split || !file.endsWith('.parquet')) return [];
    return [{ config, path, split, sha256: typeof lfs?.oid === 'string' ? lfs.oid : undefined }];
  });
  const configs = [...new Set(all.map(({ config }) => config))];
  const config = wanted ?? (configs.length === 1 ? configs[0] : configs.find((one) => one === 'default'));
  if (configs.length === 0) throw new DataError(`${title}: the hub has no Parquet files of it`);
  if (config === undefined || !configs.includes(config)) {
    throw new DataError(`${title}: choose one of its configurations with ${title}@name: ${listed(configs)}`);
  }
  return { config, files: all.filter((file) => file.config === config) };
}

interface Entry {
  readonly type?: unknown;
  readonly path?: unknown;
  readonly lfs?: { readonly oid?: unknown };
}

async function fetchListing(title: string, url: string, signal: AbortSignal | undefined): Promise<Entry[]> {
  const timeout = AbortSignal.timeout(LISTING_TIMEOUT);
  let response: Response;
  try {
    response = await fetch(url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  } catch (error) {
    signal?.throwIfAborted();
    throw new DownloadError(url, `${title}: the hub does not answer (${url}): ${explain(error)}`, { cause: error });
  }
  const { status } = response;
  if (status === 401 || status === 403 || status === 404) {
    const remedy = 'where it is gated or private, download its Parquet files yourself and name their folder';
    throw new DownloadError(url, `${title}: the hub has no such public data set (it answers ${status}); ${remedy}`, { status }); // prettier-ignore
  }
  if (!response.ok) throw new DownloadError(url, `${title}: the hub answers ${status} (${url}); try again later`, { status }); // prettier-ignore
  const parsed: unknown = await response.json().catch((error: unknown) => {
    throw new DownloadError(url, `${title}: the hub's answer is no JSON (${url})`, { cause: error });
  });
  if (!Array.isArray(parsed)) throw new DownloadError(url, `${title}: the hub's answer is no list of files (${url})`);
  return parsed as Entry[];
}
