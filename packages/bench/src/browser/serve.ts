// A web server on 127.0.0.1 for one page: an HTML text, the files of one folder beside it, and what the page posts.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

/** What is served. */
export interface Site {
  /** The page. */
  readonly html: string;
  /** Its files are served by name; files in folders below it are not. */
  readonly folder: string;
  /** Other texts by path, such as '/spec.json'. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Called with each JSON value that the page posts. */
  onPost?(value: unknown): void;
}

/** A running server. */
export interface Served {
  /** With the slash at its end. */
  readonly address: string;
  /** Ends it and every connection. */
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
};
const FILE = /^\/[\w-]+(\.[\w-]+)*$/;
const LONGEST_POST = 2 ** 24;

/** Starts a server on a free port of 127.0.0.1. */
export async function serve(site: Site): Promise<Served> {
  const server = createServer((request, response) => {
    answer(site, request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    address: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
  const send = (status: number, type: string, body: string | Buffer): void => {
    // Isolated from other origins, a page gets a clock of 5 instead of 100 microseconds.
    response.writeHead(status, {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(body);
  };
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > LONGEST_POST) return send(413, 'text/plain', 'too long');
      chunks.push(chunk);
    }
    site.onPost?.(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    return send(200, 'text/plain', '');
  }
  if (path === '/') return send(200, 'text/html; charset=utf-8', site.html);
  const type = TYPES[extname(path)] ?? 'text/plain';
  const text = site.texts?.[path];
  if (text !== undefined) return send(200, type, text);
  const body = FILE.test(path) ? await readFile(join(site.folder, path)).catch(() => undefined) : undefined;
  return body ? send(200, type, body) : send(404, 'text/plain', 'there is no such file');
}
