// A model over HTTP on this machine: POST an image to /predict, and it answers in JSON. Every limit has an answer of its own,
// and no request can end the process.
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { CorruptImageError, preprocess, type Preprocessing } from '@thaw/data';
import { decodeImage } from '@thaw/data/node';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import sharp from 'sharp';
import { best } from '../session/predict.ts';
import { Batcher, BusyError } from './batcher.ts';
import { NoDeviceError } from './lasting.ts';
import { serveMetrics } from './metrics.ts';
import page from './page.html?raw';

/** What answers. */
export interface ServedModel {
  readonly name: string;
  readonly device: string;
  readonly classes: readonly string[];
  readonly imageSize: number;
  readonly resizeShorter: number;
  readonly preprocessing: Preprocessing;
  /** Whether it has a device to run on; default: yes. */
  isReady?(): boolean;
  /** @param images [size, imageSize, imageSize, 3], preprocessed; @returns probabilities [size, classes] */
  run(images: Float32Array, size: number): Promise<Float32Array>;
}

export interface ServeOptions {
  readonly batchSize: number;
  /** Classes in an answer, where the request does not say. */
  readonly topK: number;
  /** Of a request's body. */
  readonly maxBytes: number;
  /** Images that may wait for the device. */
  readonly maxWaiting: number;
  /** Of one client. */
  readonly requestsPerSecond: number;
  /** A request that takes longer to arrive is cut off. */
  readonly requestTimeoutMs?: number;
}

/** Pixels of an image, as it is before it is resized, at most: 100 megapixels decode to 300 MB. */
const MAX_PIXELS = 100_000_000;
const MAX_FILES = 64;
/** After which it is worth asking again, where the device is lost. */
const NEW_DEVICE_SECONDS = 5;

/** An answer that is not 200, and says why. */
class Refusal extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

interface Upload {
  readonly name: string;
  readonly bytes: Buffer;
}

export async function createServer(model: ServedModel, options: ServeOptions): Promise<FastifyInstance> {
  const { batchSize, topK, maxBytes, maxWaiting, requestsPerSecond, requestTimeoutMs = 30_000 } = options;
  const batcher = new Batcher({
    batchSize,
    maxWaiting,
    run: (images, size) => model.run(images, size),
    onBatch: (size) => metrics.batches.observe(size),
  });
  const metrics = serveMetrics(() => batcher.waiting);
  const open = new Set<FastifyRequest>();

  const app = fastify({
    bodyLimit: maxBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 2 * requestTimeoutMs,
    forceCloseConnections: 'idle',
    // Node looks for requests that take too long every half minute, whatever the time they may take.
    http: { connectionsCheckingInterval: Math.min(requestTimeoutMs / 2, 5000) },
  });
  app.removeAllContentTypeParsers();
  await app.register(multipart, {
    limits: { fileSize: maxBytes, files: MAX_FILES, fields: 16, parts: MAX_FILES + 16 },
  });
  app.addContentTypeParser(/^(image\/|application\/octet-stream)/, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  await app.register(rateLimit, {
    max: requestsPerSecond,
    timeWindow: 1000,
    errorResponseBuilder: () =>
      new Refusal(429, `more than ${requestsPerSecond} requests a second: send several images in one, or fewer`),
  });

  // A page of another site must not get at a model on this machine by a name that leads here.
  app.addHook('onRequest', async (request) => {
    const host = request.headers.host ?? '';
    if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host))
      throw new Refusal(403, `this server answers to localhost only, not to ${host === '' ? 'no name' : host}`);
  });
  // Before its body is read: so many bodies at most are held in memory.
  app.addHook('onRequest', async (request, reply) => {
    open.add(request);
    // However it ends: an answer, or a client that left in the middle of a request that was none.
    reply.raw.once('close', () => open.delete(request));
    if (request.method === 'POST' && open.size > maxWaiting)
      throw new BusyError(`${open.size} requests are open already`);
  });
  app.addHook('onResponse', async (_request, reply) => {
    metrics.requests.inc({ status: reply.statusCode });
    metrics.seconds.observe(reply.elapsedTime / 1000);
  });

  app.get(
    '/',
    (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob:; connect-src 'self'").send(page), // prettier-ignore
  );
  app.get('/health', (_request, reply) => {
    const { name, device, classes, imageSize } = model;
    const isReady = model.isReady?.() ?? true;
    if (!isReady) void reply.code(503).header('retry-after', NEW_DEVICE_SECONDS);
    return {
      status: isReady ? 'ok' : 'device lost',
      model: name,
      device,
      classes,
      imageSize,
      waiting: batcher.waiting,
    };
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  app.post('/predict', async (request) => {
    const start = performance.now();
    const count = topOf(request, topK, model.classes.length);
    const uploads = await uploadsOf(request);
    const results = await Promise.allSettled(uploads.map((upload) => classify(upload)));
    const predictions = uploads.map(({ name }, i) => {
      const result = results[i];
      if (result?.status !== 'fulfilled') {
        const reason: unknown = result?.reason;
        // One image alone decides the answer; of several the others still count.
        if (uploads.length === 1 || !(reason instanceof CorruptImageError || reason instanceof Refusal)) throw reason;
        return { file: name, error: messageOf(reason) };
      }
      const classes = best(result.value, count).map(({ index, probability }) => ({
        class: model.classes[index] ?? `class ${index}`,
        index,
        probability,
      }));
      return { file: name, classes };
    });
    return { predictions, milliseconds: Math.round(10 * (performance.now() - start)) / 10 };
  });

  app.setNotFoundHandler(
    (request, reply) =>
    reply.code(404).send({ error: `there is no ${request.method} ${request.url.slice(0, 200)}; POST /predict takes an image, GET / is a page to try it on` }), // prettier-ignore
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { raw } = request;
    // Refused before its body has come: that may take as long as any request's, and no longer.
    if (!raw.complete) setTimeout(() => raw.complete || raw.destroy(), requestTimeoutMs).unref();
    return answer(error, reply, maxBytes);
  });
  app.addHook('onClose', () => batcher.idle());
  return app;

  async function classify({ name, bytes }: Upload): Promise<Float32Array> {
    const { imageSize, resizeShorter, preprocessing } = model;
    const { width, height } = await sharp(bytes)
      .metadata()
      .catch(() => ({ width: 0, height: 0 }));
    if (width * height > MAX_PIXELS)
      throw new Refusal(413, `${name} has ${width} x ${height} pixels; ${MAX_PIXELS / 1e6} megapixels are the most`);
    const rgb = await decodeImage(bytes, name, imageSize, { resizeShorter });
    const image = new Float32Array(rgb.length);
    preprocess(rgb, preprocessing, image);
    const values = await batcher.submit(image);
    metrics.images.inc();
    return values;
  }
}

async function uploadsOf(request: FastifyRequest): Promise<Upload[]> {
  if (!request.isMultipart()) {
    const { body } = request;
    if (!Buffer.isBuffer(body) || body.length === 0)
      throw new Refusal(400, 'no image: send one as the body with Content-Type image/jpeg or the like, or as multipart/form-data'); // prettier-ignore
    return [{ name: 'image', bytes: body }];
  }
  const uploads: Upload[] = [];
  for await (const part of request.parts())
    if (part.type === 'file') uploads.push({ name: part.filename, bytes: await part.toBuffer() });
  if (uploads.length === 0) throw new Refusal(400, 'the form has no file: curl -F image=@photo.jpg sends one');
  return uploads;
}

function topOf({ query }: FastifyRequest, preset: number, classes: number): number {
  const top: unknown = typeof query === 'object' && query !== null && 'top' in query ? query.top : undefined;
  if (top === undefined) return Math.min(preset, classes);
  const count = Number(top);
  if (!Number.isInteger(count) || count < 1)
    throw new Refusal(400, `top=${typeof top === 'string' ? top : '...'}: one whole number of at least 1 is needed`);
  return Math.min(count, classes);
}

/** Every failure as JSON with a sentence. */
function answer(error: FastifyError | Error, reply: FastifyReply, maxBytes: number): FastifyReply {
  if (error instanceof BusyError)
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({ error: `busy: ${error.message}; try again in a second` });
  if (error instanceof NoDeviceError)
    return reply
      .code(503)
      .header('retry-after', NEW_DEVICE_SECONDS)
      .send({ error: `no device: ${error.message}; try again in ${NEW_DEVICE_SECONDS} seconds` });
  if (error instanceof CorruptImageError) return reply.code(422).send({ error: messageOf(error) });
  const status = ('statusCode' in error ? error.statusCode : undefined) ?? 500;
  if (status === 413 && !(error instanceof Refusal))
    return reply.code(413).send({ error: `more than ${maxBytes / 2 ** 20} MiB; --max-upload sets the limit` });
  if (status === 415)
    return reply.code(415).send({ error: 'send the image with Content-Type image/jpeg or the like, application/octet-stream, or as multipart/form-data' }); // prettier-ignore
  return reply.code(status).send({ error: messageOf(error) });
}

const messageOf = (error: unknown): string =>
  error instanceof CorruptImageError ? `${error.path}: ${error.reason}` : error instanceof Error ? error.message : String(error); // prettier-ignore
