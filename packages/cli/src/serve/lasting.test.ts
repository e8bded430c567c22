// The device of a server is destroyed: requests wait for a new one and get the answer of the first; where none is to be had they
// are told to come back.
import { BackendRunner, randomWeights, ResNet50 } from '@thaw/model';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter } from '../../../kernels/src/testing/adapter.ts';
import { TINY } from '../../../model/src/testing/tiny.ts';
import { Output } from '../output.ts';
import { openBackend, type OpenBackend } from '../session/backend.ts';
import { standIn } from '../testing/stand-in.ts';
import { LastingModel, type OpenedModel } from './lasting.ts';
import { createServer } from './server.ts';

const SIDE = 32;

describe.skipIf(noAdapter)('a server whose device is lost', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** @param before called before each device but the first is opened */
  async function start(before: () => void = () => undefined) {
    const io = standIn({ cwd: '/', env: {} });
    const output = new Output(io, {});
    const opened: OpenBackend[] = [];
    const passes = { each: (): void => undefined };
    const open = async (): Promise<OpenedModel> => {
      if (opened.length > 0) before();
      const backend = await openBackend({ io, backend: 'thaw', untuned: true });
      opened.push(backend);
      const network = new ResNet50(randomWeights({ seed: 1, architecture: TINY }), { imageSize: SIDE });
      const trunk = new BackendRunner({ network, pooling: 'average', width: network.channels, imageSize: SIDE });
      const run = (images: Float32Array, size: number): Promise<Float32Array> => {
        const pass = trunk.run(images, size);
        passes.each();
        return pass;
      };
      const close = (): void => {
        trunk.dispose();
        network.dispose();
        backend.close();
      };
      return { backend, run, close };
    };
    const { signal } = new AbortController();
    const model = new LastingModel(await open(), { open, output, signal, pauses: [0, 1] });
    const classes = Array.from({ length: 64 }, (_, i) => String(i));
    const served = { name: 'tiny', device: 'a test', classes, imageSize: SIDE, resizeShorter: 1, preprocessing: 'torchvision', isReady: () => model.isReady(), run: (images: Float32Array, size: number) => model.run(images, size) } as const; // prettier-ignore
    const server: FastifyInstance = await createServer(served, { batchSize: 4, topK: 3, maxBytes: 1e6, maxWaiting: 64, requestsPerSecond: 1000 }); // prettier-ignore
    closers.push(() => model.close(), () => server.close()); // prettier-ignore
    const at = await server.listen({ host: '127.0.0.1', port: 0 });
    const picture = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#c84' } }).png().toBuffer(); // prettier-ignore
    const ask = async () => {
      const headers = { 'content-type': 'image/png' };
      const response = await fetch(`${at}/predict`, { method: 'POST', headers, body: Uint8Array.from(picture) });
      const body = (await response.json()) as { error?: string; predictions?: unknown };
      return { status: response.status, retryAfter: response.headers.get('retry-after'), ...body };
    };
    const lose = (): void => opened.at(-1)?.opened?.device.destroy();
    const losses = (): number => io.written.stderr.match(/The device was lost/g)?.length ?? 0;
    const health = async () => (await fetch(`${at}/health`)).status;
    return { ask, lose, losses, opened, passes, health };
  }

  test('between requests: the next has the answer of the first', async () => {
    const { ask, lose, losses, opened, health } = await start();
    const first = await ask();
    expect(first.status).toBe(200);
    lose();
    await opened[0]!.opened!.device.lost;
    const next = await ask();
    expect([next.status, next.predictions]).toEqual([200, first.predictions]);
    expect([losses(), opened.length, await health()]).toEqual([1, 2, 200]);
  });

  test('in the middle of a pass, with others waiting: all have it', async () => {
    const { ask, lose, losses, opened, passes } = await start();
    const first = await ask();
    passes.each = () => {
      passes.each = () => undefined;
      lose();
    };
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    for (const { status, predictions } of answers) expect([status, predictions]).toEqual([200, first.predictions]);
    expect([losses(), opened.length]).toEqual([1, 2]);
  });

  test('no new one to be had: 503 and Retry-After until there is; health asks for it too', async () => {
    let isThere = false;
    const { ask, lose, opened, health } = await start(() => {
      if (!isThere) throw new Error('no adapter');
    });
    const first = await ask();
    lose();
    await opened[0]!.opened!.device.lost;
    const refused = await ask();
    expect(refused).toMatchObject({ status: 503, retryAfter: '5' });
    expect(refused.error).toMatch(/no device: The device was lost, and no new one could be opened: .*no adapter/);
    expect(await health()).toBe(503);
    isThere = true;
    await expect.poll(health).toBe(200);
    expect((await ask()).predictions).toEqual(first.predictions);
  });

  test('lost by each pass: the request is refused, the server goes on', async () => {
    const { ask, lose, passes } = await start();
    const first = await ask();
    passes.each = lose;
    const refused = await ask();
    expect(refused).toMatchObject({ status: 503, retryAfter: '5' });
    expect(refused.error).toContain('the device was lost 2 times at these images');
    passes.each = () => undefined;
    expect((await ask()).predictions).toEqual(first.predictions);
  });
});
