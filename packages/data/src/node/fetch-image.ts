// An image from the web: whole, not too large, and in time. What it is, the decoder finds out from its bytes.
import { CorruptImageError } from '../errors.ts';

/** How long and how much. */
export interface FetchImageOptions {
  /** Of the whole answer; default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds for the whole answer; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_BYTES = 64 * 2 ** 20;
const TIMEOUT_MS = 30_000;

/** Whether a name is an http or https address. */
export const isAddress = (name: string): boolean => /^https?:\/\//i.test(name);

/**
 * The bytes behind an address; redirections are followed.
 * @throws CorruptImageError naming the address: it is none, cannot be reached, answers an error, is too large or too slow
 */
export async function fetchImage(address: string, options: FetchImageOptions = {}): Promise<Uint8Array> {
  const { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS, signal } = options;
  const fail = (reason: string, cause?: unknown): CorruptImageError =>
    new CorruptImageError(address, reason, { cause });
  if (!URL.canParse(address)) throw fail('is not an address');
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = signal ? AbortSignal.any([timeout, signal]) : timeout;
  const tooLarge = `is larger than ${maxBytes / 2 ** 20} MiB`;
  try {
    const response = await fetch(address, { signal: limit });
    if (!response.ok) {
      await response.body?.cancel();
      throw fail(`the server answers ${response.status} ${response.statusText}`.trimEnd());
    }
    if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
      await response.body?.cancel();
      throw fail(tooLarge);
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body ?? []) {
      bytes += part.length;
      if (bytes > maxBytes) throw fail(tooLarge);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof CorruptImageError) throw error;
    signal?.throwIfAborted();
    if (timeout.aborted) throw fail(`did not arrive within ${timeoutMs / 1000} s`, error);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw fail(`cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, error);
  }
}
