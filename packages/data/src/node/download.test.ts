import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DownloadError, HashMismatchError } from '../errors.ts';
import { temporaryFolder, writeTree } from '../testing/files.ts';
import { download, type DownloadProgress } from './download.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i + 7 * i) % 253));
const md5 = createHash('md5').update(content).digest('hex');
const sha256 = createHash('sha256').update(content).digest('hex');
const fast = { retryDelay: 1 };

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on the loopback; `requests` has what it was asked. */
async function serve(handler: Handler) {
  const requests: { range: string | undefined; ifRange: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const header = request.headers['if-range'];
    requests.push({ range: request.headers.range, ifRange: typeof header === 'string' ? header : undefined });
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/data.bin`, requests };
}

/** Answers as a good server does; `breakAfter` bytes of the body, the connection is cut. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { breakAfter = Infinity, etag = '"v1"', body = content } = {},
) {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const start = fresh ? from : 0;
  if (start >= body.length) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  const part = body.subarray(start);
  const headers: Record<string, string | number> = { etag, 'content-length': part.length };
  if (start > 0) headers['content-range'] = `bytes ${start}-${body.length - 1}/${body.length}`;
  response.writeHead(start > 0 ? 206 : 200, headers);
  if (part.length > breakAfter)
    response.write(part.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 20));
  else response.end(part);
}

const target = async () => join(await temporaryFolder(), 'deep/er/data.bin');

describe('download', () => {
  test('fetches, checks both hashes, tells its progress, leaves nothing else behind', async () => {
    const { url, requests } = await serve((q, r) => answer(q, r));
    const destination = await target();
    const progress: DownloadProgress[] = [];
    await download(url, destination, { md5, sha256: sha256.toUpperCase(), onProgress: (p) => progress.push(p) });
    expect((await readFile(destination)).equals(content)).toBe(true);
    expect(progress[0]).toEqual({ receivedBytes: 0, totalBytes: content.length });
    expect(progress.at(-1)).toEqual({ receivedBytes: content.length, totalBytes: content.length });
    expect(await readdir(join(destination, '..'))).toEqual(['data.bin']);
    expect(requests).toEqual([{ range: undefined, ifRange: undefined }]);
  });

  test('continues after each break, at the byte where it broke', async () => {
    const { url, requests } = await serve((q, r, n) => answer(q, r, n < 4 ? { breakAfter: 70_000 } : {}));
    const destination = await target();
    await download(url, destination, { ...fast, md5 });
    expect((await readFile(destination)).equals(content)).toBe(true);
    expect(requests.map((request) => request.range)).toEqual([
      undefined,
      'bytes=70000-',
      'bytes=140000-',
      'bytes=210000-',
    ]);
    expect(requests[1]!.ifRange).toBe('"v1"');
  });

  test('gives up after so many attempts without progress, keeps what it has, and continues in the next call', async () => {
    let broken = true;
    const { url, requests } = await serve((q, r, n) => {
      if (!broken) answer(q, r);
      else if (n === 1) answer(q, r, { breakAfter: 100_000 });
      else r.destroy();
    });
    const destination = await target();
    const first = download(url, destination, { ...fast, retries: 2, md5 });
    await expect(first).rejects.toThrow(/3 times in a row; run the command again to continue from byte 100000/);
    await expect(first).rejects.toBeInstanceOf(DownloadError);
    expect(existsSync(destination)).toBe(false);
    broken = false;
    await download(url, destination, { ...fast, md5 });
    expect((await readFile(destination)).equals(content)).toBe(true);
    expect(requests.at(-1)!.range).toBe('bytes=100000-');
  });

  test('starts anew where the file has changed meanwhile', async () => {
    const other = Buffer.from(content).reverse();
    const { url } = await serve((q, r, n) =>
      n === 1 ? answer(q, r, { breakAfter: 50_000, etag: '"old"', body: other }) : answer(q, r),
    );
    const destination = await target();
    await download(url, destination, { ...fast, md5 });
    expect((await readFile(destination)).equals(content)).toBe(true);
  });

  test('starts anew where the server knows no ranges', async () => {
    const { url } = await serve((_, r, n) => {
      r.writeHead(200, { 'content-length': content.length });
      if (n === 1) r.write(content.subarray(0, 9000), () => setTimeout(() => r.destroy(), 20));
      else r.end(content);
    });
    const destination = await target();
    await download(url, destination, { ...fast, md5 });
    expect((await readFile(destination)).equals(content)).toBe(true);
  });

  test('takes a part that is already whole, and starts anew from one that is too long', async () => {
    for (const [part, requestCount] of [
      [content, 1],
      [Buffer.concat([content, content]), 2],
    ] as const) {
      const { url, requests } = await serve((q, r) => answer(q, r));
      const destination = join(await temporaryFolder(), 'data.bin');
      await writeFile(`${destination}.part`, part);
      await download(url, destination, { ...fast, md5 });
      expect((await readFile(destination)).equals(content)).toBe(true);
      expect(requests.length).toBe(requestCount);
    }
  });

  test('works without a length', async () => {
    const { url } = await serve((_, r) => {
      r.writeHead(200);
      r.write(content.subarray(0, 1000));
      r.end(content.subarray(1000));
    });
    const destination = await target();
    const totals = new Set<number | null>();
    await download(url, destination, { md5, onProgress: (p) => totals.add(p.totalBytes) });
    expect([...totals]).toEqual([null]);
    expect((await readFile(destination)).equals(content)).toBe(true);
  });

  test('a wrong hash is named with both values, and nothing is kept', async () => {
    const { url } = await serve((q, r) => answer(q, r));
    const destination = await target();
    const result = download(url, destination, { md5: '0'.repeat(32) });
    await expect(result).rejects.toBeInstanceOf(HashMismatchError);
    await expect(result).rejects.toThrow(`md5 is ${md5}, expected ${'0'.repeat(32)}`);
    expect(await readdir(join(destination, '..'))).toEqual([]);
  });

  test('404 fails at once and names the address', async () => {
    const { url, requests } = await serve((_, r) => r.writeHead(404).end('gone'));
    const result = download(url, await target(), fast);
    await expect(result).rejects.toThrow(`${url}: the server answered 404 Not Found; the file is no longer there`);
    await expect(result).rejects.toMatchObject({ status: 404, url });
    expect(requests.length).toBe(1);
  });

  test('503 is tried again', async () => {
    const { url, requests } = await serve((q, r, n) => (n < 3 ? r.writeHead(503).end() : answer(q, r)));
    await download(url, await target(), { ...fast, md5 });
    expect(requests.length).toBe(3);
  });

  test('a server that falls silent counts as broken', async () => {
    const { url, requests } = await serve((q, r, n) => {
      if (n > 1) return answer(q, r);
      r.writeHead(200, { 'content-length': content.length, etag: '"v1"' });
      r.write(content.subarray(0, 5000));
    });
    await download(url, await target(), { ...fast, md5, stallTimeout: 100 });
    expect(requests.map((request) => request.range)).toEqual([undefined, 'bytes=5000-']);
  });

  test('a server that takes the connection and says nothing counts as broken', async () => {
    const { url, requests } = await serve((q, r, n) => (n > 1 ? answer(q, r) : undefined));
    await download(url, await target(), { ...fast, md5, stallTimeout: 100 });
    expect(requests).toHaveLength(2);
  });

  test('a server that answers 500 for good: named, and nothing in the cache', async () => {
    const { url, requests } = await serve((_, r) => r.writeHead(500).end('<html>sorry</html>'));
    const destination = await target();
    const result = download(url, destination, { ...fast, retries: 2 });
    await expect(result).rejects.toThrow(`${url}: the server answered 500, 3 times in a row`);
    await expect(result).rejects.toBeInstanceOf(DownloadError);
    expect(requests).toHaveLength(3);
    expect(await readdir(join(destination, '..'))).toEqual([]);
  });

  test.each([
    ['with another ETag', { etag: '"other"' }],
    ['of another length', { body: Buffer.concat([content, content]) }],
  ])('a server that ignores If-Range and goes on with a file %s: it is not spliced', async (_, other) => {
    const { url } = await serve((q, r, n) => {
      if (n === 1) return answer(q, r, { breakAfter: 50_000, body: Buffer.from(content).reverse() });
      delete q.headers['if-range'];
      answer(q, r, { body: content, ...other });
    });
    const destination = await target();
    // Without a hash: nothing but the server's word tells.
    await download(url, destination, fast);
    expect((await readFile(destination)).equals('body' in other ? other.body : content)).toBe(true);
  });

  test('wrong bytes in the rest of the file: the hash tells, nothing is kept, and the next call fetches all of it', async () => {
    let isWrong = true;
    const { url } = await serve((q, r, n) => {
      if (n === 1) answer(q, r, { breakAfter: 50_000 });
      else answer(q, r, isWrong ? { body: Buffer.from(content).fill(7, 100_000) } : {});
    });
    const destination = await target();
    await expect(download(url, destination, { ...fast, sha256 })).rejects.toBeInstanceOf(HashMismatchError);
    expect(await readdir(join(destination, '..'))).toEqual([]);
    isWrong = false;
    await download(url, destination, { ...fast, sha256 });
    expect((await readFile(destination)).equals(content)).toBe(true);
  });

  test('more bytes than were announced, or fewer, each time: an error, and nothing in the cache', async () => {
    const { url } = await serve((_, r) => {
      r.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n${'x'.repeat(5000)}`);
    });
    const destination = await target();
    await expect(download(url, destination, { ...fast, retries: 1 })).rejects.toBeInstanceOf(DownloadError);
    expect(existsSync(destination)).toBe(false);
  });

  test('two processes and one cache: one fetches, both have the file', async () => {
    const { url, requests } = await serve((q, r) => {
      const pieces = Array.from({ length: 10 }, (_, i) => content.subarray(i * 30_000, (i + 1) * 30_000));
      r.writeHead(200, { 'content-length': content.length });
      const send = (): void => {
        const piece = pieces.shift();
        if (piece) r.write(piece, () => setTimeout(send, 50));
        else r.end();
      };
      send();
    });
    const destination = await target();
    const program = fileURLToPath(new URL('../testing/download.program.js', import.meta.url));
    const ended = await Promise.all(
      [1, 2, 3].map(() => promisify(execFile)(process.execPath, [program, url, destination, md5])),
    );
    expect(ended.map(({ stdout }) => stdout.trim())).toEqual(['done', 'done', 'done']);
    expect(requests).toHaveLength(1);
    expect((await readFile(destination)).equals(content)).toBe(true);
    expect(await readdir(join(destination, '..'))).toEqual(['data.bin']);
  });

  test('no server at all: the reason is given', async () => {
    const result = download('http://127.0.0.1:9/x', await target(), { ...fast, retries: 1 });
    await expect(result).rejects.toThrow(/127\.0\.0\.1:9\/x: .*2 times in a row/);
  });

  test('an abort stops it, keeps the part, frees the lock', async () => {
    const controller = new AbortController();
    const { url } = await serve((_, r) => {
      r.writeHead(200, { 'content-length': content.length });
      r.write(content.subarray(0, 5000));
    });
    const destination = await target();
    const result = download(url, destination, {
      signal: controller.signal,
      onProgress: (p) => p.receivedBytes > 0 && controller.abort(),
    });
    await expect(result).rejects.toThrow(/abort/i);
    expect((await readFile(`${destination}.part`)).length).toBe(5000);
    expect(existsSync(`${destination}.lock`)).toBe(false);
  });

  test('a file that is there is used without the network, but not with a wrong hash', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { 'data.bin': content });
    const nowhere = 'http://127.0.0.1:9/x';
    await download(nowhere, join(root, 'data.bin'), { md5 });
    await download(nowhere, join(root, 'data.bin'));
    await expect(download(nowhere, join(root, 'data.bin'), { sha256: 'ff' })).rejects.toThrow(
      'expected ff; delete the file and download it again',
    );
  });

  test('a lock is waited for; that of another machine is named, that of a dead process taken over', async () => {
    const { url, requests } = await serve((q, r) => answer(q, r));
    const destination = await target();
    await mkdir(join(destination, '..'), { recursive: true });
    await writeFile(`${destination}.lock`, `${process.pid} ${hostname()}`);
    let waits = 0;
    const onProgress = (): void => {
      if (++waits === 2) rmSync(`${destination}.lock`);
    };
    await download(url, destination, { md5, onProgress });
    expect(requests).toHaveLength(1);
    rmSync(destination);
    await writeFile(`${destination}.lock`, '1 elsewhere');
    await expect(download(url, destination, { md5 })).rejects.toThrow('another process (1 elsewhere) is at it');
    // Given up while it waits.
    await writeFile(`${destination}.lock`, `${process.pid} ${hostname()}`);
    const waiting = download(url, destination, { md5, signal: AbortSignal.timeout(50) });
    await expect(waiting).rejects.toThrow(/abort|timeout/i);
    // Process ids end at 2^22 on Linux.
    await writeFile(`${destination}.lock`, `4194999 ${hostname()}`);
    await download(url, destination, { md5 });
    expect(existsSync(destination)).toBe(true);
  });

  test('a folder that cannot be made is named', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { file: '' });
    await expect(download('http://127.0.0.1:9/x', join(root, 'file/x'))).rejects.toThrow(
      /file: cannot be written .*set THAW_HOME to a folder that can be/,
    );
  });
});
