// A file's hash, read as a stream.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { HashMismatchError } from '../errors.ts';

/** What a file must hash to, where that is known. */
export interface ExpectedHash {
  /** Hexadecimal. */
  readonly md5?: string | undefined;
  /** Hexadecimal. */
  readonly sha256?: string | undefined;
}

/** @throws HashMismatchError, with `remedy` in its message, for the first hash that differs */
export async function checkHash(
  path: string,
  expected: ExpectedHash,
  remedy: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const algorithm of ['md5', 'sha256'] as const) {
    const wanted = expected[algorithm]?.toLowerCase();
    if (wanted === undefined) continue;
    const hash = createHash(algorithm);
    await pipeline(createReadStream(path), hash, signal ? { signal } : {});
    const actual = hash.digest('hex');
    if (actual !== wanted) throw new HashMismatchError(path, algorithm, wanted, actual, remedy);
  }
}
