// thaw serve in a process of its own under hostile clients: it keeps answering, and its memory returns to where it was.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniformNumbers } from '../../../model/src/weights/random.ts';

const MIB = 2 ** 20;
/** As serve.program.ts has it. */
const MAX_BYTES = MIB;
/** Of V8 and of sockets that are closing: a seventh of what the huge requests send (20 x 8 MiB), of which nothing may stay. */
const SLACK = 24 * MIB;

let server: ChildProcess;
let at: string;
let port: number;
let picture: Buffer;
beforeAll(async () => {
  const program = new URL('../testing/serve.program.js', import.meta.url);
  server = spawn(process.execPath, ['--expose-gc', program.pathname], { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
  at = await told('listening');
  port = Number(new URL(at).port);
  picture = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#336633' } })
    .png()
    .toBuffer();
  // Its first requests load code and fill pools.
  for (let i = 0; i < 50; i++) expect(await status()).toBe(200);
});
afterAll(() => void server.kill('SIGKILL'));

/** The next message that the server's process sends of this kind. */
async function told<T = string>(kind: string): Promise<T> {
  for (;;) {
    const [message] = (await once(server, 'message')) as [{ kind: string; value: T }];
    if (message.kind === kind) return message.value;
  }
}

/** Bytes on V8's heap and outside it, after a collection. */
async function memory(): Promise<number> {
  const answer = told<number>('memory');
  server.send('memory');
  return answer;
}

const post = (body: Uint8Array, type = 'image/png'): Promise<Response> =>
  fetch(`${at}/predict`, { method: 'POST', headers: { 'content-type': type }, body: Uint8Array.from(body) });
async function status(): Promise<number> {
  const response = await post(picture);
  await response.arrayBuffer();
  return response.status;
}

/** A connection that says `text` and then nothing. */
function dial(text: string | Uint8Array): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => resolve(socket)));
    socket.on('error', () => resolve(socket)).resume();
  });
}
const HEAD = 'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n';

/** Runs an attack; afterwards the server answers, and has no more memory than before. */
async function outlives(attack: () => Promise<unknown>, during = true): Promise<void> {
  const before = await memory();
  const attacking = attack();
  if (during) expect(await status()).toBe(200);
  await attacking;
  // Connections that wait are cut off after half a second.
  await sleep(1500);
  expect(await status()).toBe(200);
  expect(server.exitCode).toBeNull();
  expect((await memory()) - before).toBeLessThan(SLACK);
}

test('malformed: 300 requests that are none, or whose image, form or query is damaged', async () => {
  const random = uniformNumbers(7);
  const whole = Buffer.concat([
    Buffer.from(`${HEAD}Connection: close\r\nContent-Length: ${picture.length}\r\n\r\n`),
    picture,
  ]);
  await outlives(async () => {
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(whole);
      // Half of them in the head.
      const most = i % 2 === 0 ? HEAD.length : bytes.length;
      for (let n = 0; n < 1 + (i % 5); n++) bytes[Math.floor(random() * most)] = Math.floor(random() * 256);
      const socket = await dial(i % 3 === 0 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes);
      await sleep(2);
      socket.destroy();
    }
    const form = (text: string): Promise<Response> => post(Buffer.from(text), 'multipart/form-data; boundary=x');
    const forms = [
      '',
      '--x',
      '--x\r\n\r\n',
      '--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n',
      `--x\r\n${'A'.repeat(100_000)}`,
    ];
    for (const text of forms) expect((await form(text)).status).toBeGreaterThanOrEqual(400);
  });
});

test('huge: bodies over the limit, declared and streamed, and a picture that unpacks to 120 megapixels', async () => {
  const bomb = await sharp({
    create: { width: 30_000, height: 4000, channels: 3, background: '#000' },
    limitInputPixels: false,
  })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();
  expect(bomb.length).toBeLessThan(MAX_BYTES);
  await outlives(async () => {
    expect((await post(bomb)).status).toBe(413);
    for (let i = 0; i < 20; i++)
      expect([413, 0]).toContain(
        await post(Buffer.alloc(8 * MAX_BYTES)).then(
          (answer) => answer.status,
          () => 0,
        ),
      );
    // A gigabyte that is announced, and one in pieces without an end.
    await dial(`${HEAD}Content-Length: ${2 ** 30}\r\n\r\nabc`);
    const endless = await dial(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 64 && !endless.destroyed; i++) {
      endless.write(`10000\r\n${'x'.repeat(65_536)}\r\n`);
      await sleep(1);
    }
    endless.destroy();
  });
});

test('slow: 200 connections that send a byte now and then, in the head and in the body', async () => {
  await outlives(async () => {
    const sockets = await Promise.all(
      Array.from({ length: 200 }, (_, i) => dial(i % 2 === 0 ? HEAD : `${HEAD}Content-Length: 1000\r\n\r\na`)),
    );
    for (let i = 0; i < 10; i++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write('a');
      await sleep(100);
    }
    await sleep(1500);
    // Each was cut off by the server.
    expect(sockets.filter((socket) => !socket.destroyed && !socket.readableEnded)).toHaveLength(0);
  }, false);
});

test('many: 600 requests at once are answered or told to come back', async () => {
  await outlives(async () => {
    const statuses = await Promise.all(Array.from({ length: 600 }, () => status().catch(() => 0)));
    expect(new Set(statuses.filter((one) => one !== 200 && one !== 503 && one !== 429))).toEqual(new Set());
    expect(statuses.filter((one) => one === 200).length).toBeGreaterThan(0);
  }, false);
});
