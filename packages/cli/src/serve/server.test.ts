// The server as a client meets it: what it answers, and that nothing a client sends ends it.
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { gate } from '../testing/gate.ts';
import { createServer, type ServeOptions, type ServedModel } from './server.ts';

const SIDE = 4;
/** Names the strongest of red, green and blue: probabilities are the channels' shares. */
const model: ServedModel = {
  name: 'colours',
  device: 'a test',
  classes: ['red', 'green', 'blue'],
  imageSize: SIDE,
  resizeShorter: 1,
  preprocessing: 'none',
  run: async (images, size) =>
    Float32Array.from({ length: 3 * size }, (_, i) => {
      const at = Math.floor(i / 3) * SIDE * SIDE * 3;
      const sum = images[at]! + images[at + 1]! + images[at + 2]!;
      return images[at + (i % 3)]! / sum;
    }),
};
const OPTIONS: ServeOptions = { batchSize: 4, topK: 2, maxBytes: 100_000, maxWaiting: 8, requestsPerSecond: 1000 };

const servers: FastifyInstance[] = [];
async function start(options: Partial<ServeOptions> = {}, served = model): Promise<string> {
  const server = await createServer(served, { ...OPTIONS, ...options });
  servers.push(server);
  return server.listen({ host: '127.0.0.1', port: 0 });
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const picture = (background: string): Promise<Buffer> =>
  sharp({ create: { width: 20, height: 10, channels: 3, background } })
    .png()
    .toBuffer();
const blob = (bytes: Buffer): Blob => new Blob([Uint8Array.from(bytes)], { type: 'image/png' });
const raw = (at: string, body: Buffer, type = 'image/png'): Promise<Response> =>
  fetch(at, { method: 'POST', headers: { 'content-type': type }, body: blob(body) });
interface Answer {
  error?: string;
  predictions?: { file: string; error?: string; classes?: { class: string; index: number; probability: number }[] }[];
}
const json = async (response: Promise<Response>): Promise<Answer & { status: number }> => {
  const found = await response;
  return { ...((await found.json()) as Answer), status: found.status };
};

async function refused(response: Promise<Response>, status: number, why: string): Promise<void> {
  const found = await json(response);
  expect(found.error).toContain(why);
  expect(found.status).toBe(status);
}

test('a raw image, and ?top=', async () => {
  const at = await start();
  // 51, 102, 51 of 204.
  const { status, predictions } = await json(raw(`${at}/predict`, await picture('#336633')));
  expect(status).toBe(200);
  expect(predictions).toEqual([
    {
      file: 'image',
      classes: [
        { class: 'green', index: 1, probability: 0.5 },
        { class: 'red', index: 0, probability: 0.25 },
      ],
    },
  ]);
  const one = await json(raw(`${at}/predict?top=1`, await picture('#0000ff'), 'application/octet-stream'));
  expect(one.predictions?.[0]?.classes).toEqual([{ class: 'blue', index: 2, probability: 1 }]);
  expect((await json(raw(`${at}/predict?top=0`, await picture('#0000ff')))).error).toContain('top=0');
});

test('a form with several, one of them no image', async () => {
  const at = await start();
  const form = new FormData();
  form.append('image', blob(await picture('#ff0000')), 'a.png');
  form.append('image', new Blob(['hello']), 'b.txt');
  form.append('other', blob(await picture('#00ff00')), 'c.png');
  const { status, predictions } = await json(fetch(`${at}/predict`, { method: 'POST', body: form }));
  expect(status).toBe(200);
  expect(predictions?.map(({ file, classes }) => [file, classes?.[0]?.class])).toEqual([
    ['a.png', 'red'],
    ['b.txt', undefined],
    ['c.png', 'green'],
  ]);
  expect(predictions?.[1]?.error).toContain('b.txt: not an image');
});

test('the page, health and metrics', async () => {
  const at = await start();
  await raw(`${at}/predict`, await picture('#ff0000'));
  const page = await fetch(at);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('Drop images here');
  expect(await (await fetch(`${at}/health`)).json()).toMatchObject({ status: 'ok', model: 'colours', classes: model.classes, waiting: 0 }); // prettier-ignore
  const metrics = await (await fetch(`${at}/metrics`)).text();
  expect(metrics).toContain('thaw_images_total 1');
  expect(metrics).toContain('thaw_batch_images_count 1');
  expect(metrics).toContain('thaw_requests_total{status="200"} 3');
});

test('what is wrong is answered with a sentence and a status', async () => {
  const at = await start();
  const predict = `${at}/predict`;
  await refused(raw(predict, Buffer.from('no image')), 422, 'not an image');
  await refused(raw(predict, Buffer.alloc(0)), 400, 'no image');
  await refused(raw(predict, Buffer.alloc(100_001)), 413, '--max-upload');
  await refused(raw(predict, Buffer.from('{}'), 'application/json'), 415, 'Content-Type');
  await refused(fetch(predict, { method: 'POST', body: new FormData() }), 400, 'the form');
  await refused(fetch(`${at}/nothing`), 404, 'POST /predict');
  const cut = (await picture('#ff0000')).subarray(0, 40);
  expect((await json(raw(predict, cut))).status).toBe(422);
  // And it still answers.
  expect((await json(raw(predict, await picture('#ff0000')))).status).toBe(200);
});

test('an image of too many pixels is refused before it is decoded', async () => {
  const at = await start({ maxBytes: 200_000 });
  const wide = await sharp({ create: { width: 30_000, height: 4000, channels: 3, background: '#000' } })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();
  expect(wide.length).toBeLessThan(200_000);
  await refused(raw(`${at}/predict`, wide), 413, '30000 x 4000 pixels');
});

test('a name that is not of this machine is refused', async () => {
  const at = await start();
  const { port } = new URL(at);
  expect(await ask(Number(port), 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 403 /,
  );
});

test('no HTTP at all, a half request, a client that leaves: it still answers', async () => {
  const at = await start({ requestTimeoutMs: 300 });
  const port = Number(new URL(at).port);
  expect(await ask(port, '\x16\x03\x01 hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  const slow = await ask(
    port,
    'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nabc',
  );
  expect(slow === '' || /^HTTP\/1.1 4\d\d /.test(slow)).toBe(true);
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nabc',
      );
      socket.destroy();
      resolve();
    });
  });
  expect((await json(raw(`${at}/predict`, await picture('#ff0000')))).status).toBe(200);
});

test('more at once than may wait are told to come back, and the others are answered', async () => {
  const device = gate();
  const at = await start({ maxWaiting: 2, batchSize: 1 }, { ...model, run: async (...given) => (await device.promise, model.run(...given)) }); // prettier-ignore
  const image = await picture('#ff0000');
  const answers = Array.from({ length: 20 }, () => raw(`${at}/predict`, image));
  const busy = (await Promise.race(answers)).status;
  expect(busy).toBe(503);
  device.resolve();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect((await json(raw(`${at}/predict`, image))).status).toBe(200);
});

test('more requests a second than one client may send', async () => {
  const at = await start({ requestsPerSecond: 3 });
  const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await fetch(`${at}/health`)).status));
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  expect(statuses.filter((status) => status === 429)).toHaveLength(3);
});

test('a pass that fails is an answer of 500, and the next one is tried', async () => {
  let isBroken = true;
  const at = await start({}, { ...model, run: (...given) => (isBroken ? Promise.reject(new Error('the device was lost')) : model.run(...given)) }); // prettier-ignore
  expect(await json(raw(`${at}/predict`, await picture('#ff0000')))).toMatchObject({ status: 500, error: 'the device was lost' }); // prettier-ignore
  isBroken = false;
  expect((await json(raw(`${at}/predict`, await picture('#ff0000')))).status).toBe(200);
});

/** Sends text as it is; what comes back until the other side closes. */
function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}
