// Downloads a file: resumed after a break, checked by hash, moved into place whole.
//
// What has arrived lies in `<destination>.part`, with the server's validator in `<destination>.part.json`: a resumed
// request sends it as If-Range, so that a file that changed meanwhile starts anew instead of being spliced.

import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataError, DownloadError, HashMismatchError } from '../errors.ts';
import { checkHash, type ExpectedHash } from './hash.ts';
import { withLock } from './lock.ts';
import { errorCode, explain, statOrNull } from './paths.ts';

/** How far a download has come. */
export interface DownloadProgress {
  /** Bytes on disk, those of earlier attempts included. */
  readonly receivedBytes: number;
  /** Of the whole file, or null where the server does not say. */
  readonly totalBytes: number | null;
}

/** How a file is fetched and checked. */
export interface DownloadOptions extends ExpectedHash {
  /** Called as bytes arrive. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Stops the download; what has arrived is kept for the next. */
  readonly signal?: AbortSignal | undefined;
  /** Attempts without a single new byte before giving up; default 5. */
  readonly retries?: number | undefined;
  /** Pause before the second attempt in ms, doubled from one to the next; default 500. */
  readonly retryDelay?: number | undefined;
  /** An attempt with no byte for so many ms counts as broken; default 30,000. */
  readonly stallTimeout?: number | undefined;
}

/**
 * Fetches `url` to `destination`, whose folder is made. A file that is already there is checked, not fetched; where another
 * process fetches it, this one waits and takes that.
 * An aborted or failed download leaves its `.part`, which the next call continues.
 * @throws DownloadError for an answer that repeating will not change, or when the attempts are used up
 * @throws HashMismatchError where the whole file is not the expected one; nothing of it is kept
 */
export async function download(url: string, destination: string, options: DownloadOptions = {}): Promise<void> {
  if (await statOrNull(destination)) {
    await checkHash(destination, options, 'delete the file and download it again', options.signal);
    return;
  }
  await makeWritable(dirname(destination));
  const part = `${destination}.part`;
  const fetched = { here: false };
  const fetchOnce = async (): Promise<void> => {
    if (await statOrNull(destination)) return; // by another process, meanwhile
    fetched.here = true;
    await fetchAll(url, part, destination, options);
    try {
      await checkHash(
        part,
        options,
        `the server's file is not the expected one (${url}); it was not kept`,
        options.signal,
      );
    } catch (error) {
      if (error instanceof HashMismatchError) await discard(part);
      throw error;
    }
    await rename(part, destination);
    await discard(part);
  };
  // Meanwhile the other process's bytes are this one's progress.
  const onWait = async () => options.onProgress?.({ receivedBytes: await sizeOf(part), totalBytes: null });
  await withLock(`${destination}.lock`, `downloading ${destination}`, fetchOnce, { onWait, signal: options.signal });
  // Another process may have fetched it from elsewhere.
  if (!fetched.here) await checkHash(destination, options, 'delete the file and download it again', options.signal);
}

/** Repeats attempts until the file is whole. */
async function fetchAll(url: string, part: string, destination: string, options: DownloadOptions): Promise<void> {
  const retries = options.retries ?? 5;
  for (let failures = 0, delay = options.retryDelay ?? 500; ;) {
    const before = await sizeOf(part);
    try {
      await attempt(url, part, options);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof DataError) throw error;
      if (['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) {
        throw new DataError(`${part}: cannot be written: ${explain(error)}`, { cause: error });
      }
      if ((await sizeOf(part)) > before) {
        failures = 0;
        delay = options.retryDelay ?? 500;
      }
      if (++failures > retries) {
        throw new DownloadError(
          url,
          `${url}: ${reason(error)}, ${failures} times in a row; run the command again to continue from byte ${await sizeOf(part)}, ` +
            `or fetch the file by other means to ${destination}`,
          { cause: error },
        );
      }
      await sleep(delay, undefined, options.signal ? { signal: options.signal } : {});
      delay *= 2;
    }
  }
}

/** One request; returns when `part` is the whole file. An error that is no DataError is worth another attempt. */
async function attempt(url: string, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const saved = have > 0 ? await readSaved(part) : { validator: null, total: null };
  const { validator } = saved;
  const stall = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  const stallTimeout = options.stallTimeout ?? 30_000;
  const stalled = () => stall.abort(new Error(`no data for ${stallTimeout / 1000} s`));
  let timer = setTimeout(stalled, stallTimeout);
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (have > 0) headers.range = `bytes=${have}-`;
    if (validator !== null) headers['if-range'] = validator;
    const response = await fetch(url, { headers, signal });
    const { start, total } = await interpret(url, part, response, have, saved);
    if (start === total && start > 0) return;
    if (start === 0) await save(part, { validator: validatorOf(response), total });
    const file = await open(part, start === 0 ? 'w' : 'r+');
    try {
      let at = start;
      options.onProgress?.({ receivedBytes: at, totalBytes: total });
      const reader = response.body?.getReader();
      for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
        clearTimeout(timer);
        timer = setTimeout(stalled, stallTimeout);
        const chunk = next.value;
        for (let done = 0; done < chunk.length;) {
          done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
        }
        at += chunk.length;
        options.onProgress?.({ receivedBytes: at, totalBytes: total });
      }
      if (total !== null && at !== total) throw new Error(`the connection ended after ${at} of ${total} bytes`);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    clearTimeout(timer);
    stall.abort(); // frees the connection where the body was not read to its end
  }
}

/** Where the answer's bytes belong, and how long the whole file is. */
async function interpret(url: string, part: string, response: Response, have: number, saved: Saved) {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  const rangeTotal = range?.[2] === undefined || range[2] === '*' ? null : Number(range[2]);
  const { status } = response;
  if (status === 200) {
    const length = response.headers.get('content-length');
    return { start: 0, total: length === null ? null : Number(length) };
  }
  // A server that does not look at If-Range may send the rest of another file.
  const isOther =
    (saved.total !== null && rangeTotal !== null && saved.total !== rangeTotal) ||
    (saved.validator !== null && (validatorOf(response) ?? saved.validator) !== saved.validator);
  if (status === 206 && range?.[1] !== undefined && Number(range[1]) === have && !isOther)
    return { start: have, total: rangeTotal };
  await response.body?.cancel();
  if (status === 206 && isOther) {
    await discard(part);
    throw new Error(`the file changed on the server after ${have} bytes`);
  }
  if (status === 416 && rangeTotal === have) return { start: have, total: have };
  if (status === 416 || status === 206) {
    await discard(part); // ours is longer than theirs, or the server counts in its own way: start anew
    throw new Error(`the server would not continue at byte ${have} (HTTP ${status})`);
  }
  const text = `${url}: the server answered ${status} ${response.statusText}`.trim();
  if (status >= 500 || status === 408 || status === 429) throw new Error(`the server answered ${status}`);
  const remedy = status === 404 || status === 410 ? '; the file is no longer there' : '';
  throw new DownloadError(url, text + remedy, { status });
}

/** Makes a folder. @throws DataError where it cannot be written */
export async function makeWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new DataError(`${folder}: cannot be written (${explain(error)}); set THAW_HOME to a folder that can be`, {
      cause: error,
    });
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await statOrNull(path))?.size ?? 0;
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

/** What is known of the file that a `.part` is of. */
interface Saved {
  /** A strong ETag or the date: what If-Range may carry. */
  readonly validator: string | null;
  /** Its length. */
  readonly total: number | null;
}

function validatorOf({ headers }: Response): string | null {
  const etag = headers.get('etag');
  return etag !== null && !etag.startsWith('W/') ? etag : headers.get('last-modified');
}

async function save(part: string, saved: Saved): Promise<void> {
  await writeFile(`${part}.json`, JSON.stringify(saved));
}

async function readSaved(part: string): Promise<Saved> {
  try {
    const saved: unknown = JSON.parse(await readFile(`${part}.json`, 'utf8'));
    if (typeof saved === 'object' && saved !== null) {
      const validator = 'validator' in saved && typeof saved.validator === 'string' ? saved.validator : null;
      return { validator, total: 'total' in saved && typeof saved.total === 'number' ? saved.total : null };
    }
  } catch {
    // No validator is no obstacle: the hash decides.
  }
  return { validator: null, total: null };
}

/** fetch says only "fetch failed"; the cause has the reason. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message || error.cause.name : '';
  return cause ? `${error.message} (${cause})` : error.message;
}
