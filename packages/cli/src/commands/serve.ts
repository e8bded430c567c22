// thaw serve: a run's network, or the ImageNet classifier, over HTTP on this machine.
import { once } from 'node:events';
import { BackendRunner } from '@thaw/model';
import { basename, resolve } from 'node:path';
import type { z } from 'zod';
import { CommandError } from '../errors.ts';
import { IMAGE_MODEL, IMAGE_MODEL_OPTIONAL, imageModelOptions } from '../options/image-model.ts';
import { settings as allSettings } from '../options/settings.ts';
import { LastingModel, type OpenedModel } from '../serve/lasting.ts';
import { createServer, type ServedModel } from '../serve/server.ts';
import { openForCommand } from '../session/backend.ts';
import { findHomes, type Homes } from '../session/home.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { checkModelSettings, openImageModel } from '../session/model.ts';
import { tellSmallerBatches } from '../session/smaller-batches.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    ...IMAGE_MODEL,
    port: true,
    batchSize: true,
    topK: true,
    maxUpload: true,
    maxWaiting: true,
    rateLimit: true,
    backend: true,
    adapter: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  }) // prettier-ignore
  .partial({ ...IMAGE_MODEL_OPTIONAL, adapter: true, config: true });

export const serve = defineCommand({
  name: 'serve',
  summary: 'answer with class names over HTTP, on this machine',
  description:
    'Serves a network on http://127.0.0.1: POST /predict takes an image (raw, or as a form with several) and answers in JSON,\nGET / is a page to drop images on, /health and /metrics are for monitors. Requests that arrive together share a pass.',
  options: [
    ...imageModelOptions,
    ['port', { default: '8080' }],
    ['batchSize', { description: 'images in a pass at most', default: '16' }],
    ['topK', { description: 'classes in an answer, where the request has no ?top=', default: '5' }],
    ['maxUpload', { default: '20' }],
    ['maxWaiting', { default: '64' }],
    ['rateLimit', { default: '100' }],
    ['backend', { default: 'auto' }],
    'adapter', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw serve --run runs/2026-11-24-101500-photos-custom', 'then open http://127.0.0.1:8080'],
    ['curl -F image=@photo.jpg http://127.0.0.1:8080/predict', 'from a program; several files in one form, too'],
    ['curl --data-binary @photo.jpg -H content-type:image/jpeg http://127.0.0.1:8080/predict?top=1', 'without a form'],
  ],
  schema,
  defaults: {
    checkpoint: 'best',
    port: 8080,
    batchSize: 16,
    topK: 5,
    maxUpload: 20,
    maxWaiting: 64,
    rateLimit: 100,
    backend: 'auto',
    quiet: false,
    json: false,
    verbose: false,
  },
  run: serveCommand,
});

async function serveCommand(settings: z.infer<typeof schema>, { io, output }: Context): Promise<void> {
  checkModelSettings(settings);
  const { port, batchSize, topK, maxUpload, maxWaiting, rateLimit } = settings;
  const homes = await findHomes(io);
  const interrupt = listenForInterrupt(() => output.say('Answering what is under way ...'));
  const open = () => openServed(settings, homes, { io, output });
  let model: LastingModel | undefined;
  try {
    const first = await open();
    const lasting = (model = new LastingModel(first, { open, output, signal: interrupt.signal }));
    const { classes, imageSize, resizeShorter, preprocessing, device } = first;
    const name = settings.run === undefined ? 'ImageNet' : basename(resolve(io.cwd, settings.run));
    const served: ServedModel = {
      name,
      device,
      classes,
      imageSize,
      resizeShorter,
      preprocessing,
      isReady: () => lasting.isReady(),
      run: (images, size) => lasting.run(images, size),
    };
    const server = await createServer(served, {
      batchSize,
      topK,
      maxBytes: maxUpload * 2 ** 20,
      maxWaiting,
      requestsPerSecond: rateLimit,
    });
    const address = await server.listen({ host: '127.0.0.1', port }).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
        throw new CommandError(`Port ${port} is in use; choose another with --port, or --port 0 for any that is free.`);
      if (error instanceof Error && 'code' in error && error.code === 'EACCES')
        throw new CommandError(`Port ${port} is not this user's to open; choose one of 1024 and above with --port.`);
      throw error;
    });
    output.event('listening', { address, model: name, classes, device });
    output.result(`${name} on ${address} (${device}). Ctrl-C ends it.`);
    if (!interrupt.signal.aborted) await once(interrupt.signal, 'abort');
    await server.close();
  } finally {
    interrupt.stop();
    model?.close();
  }
}

type Served = OpenedModel & Omit<ServedModel, 'name' | 'isReady'>;

/** Opens a device and the model on it. */
async function openServed(
  settings: z.infer<typeof schema>,
  homes: Homes,
  { io, output }: Pick<Context, 'io' | 'output'>,
): Promise<Served> {
  const backend = await openForCommand(settings, { io, output });
  try {
    const { classes, imageSize, resizeShorter, features, scorer } = await openImageModel(settings, io.cwd, homes, output); // prettier-ignore
    const trunk = new BackendRunner(features, tellSmallerBatches(output));
    const run = async (images: Float32Array, size: number): Promise<Float32Array> =>
      scorer.probabilities(await trunk.run(images, size), size);
    // Compiled before the first request, which need not wait for it.
    await run(new Float32Array(imageSize * imageSize * 3), 1);
    const close = (): void => {
      trunk.dispose();
      backend.close();
    };
    return { backend, device: backend.info.name, classes: classes.map(({ name }) => name), imageSize, resizeShorter, preprocessing: features.network.variant.preprocessing, run, close }; // prettier-ignore
  } catch (error) {
    backend.close();
    throw error;
  }
}
