// thaw download: weights and data sets into THAW_HOME.
import { CIFAR10, CIFAR100, ensureCifar } from '@thaw/data/node';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { findHomes } from '../session/home.ts';
import { fetchWeights, findIn } from '../session/weights.ts';
import { nearest } from '../text/nearest.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings.pick({ top: true, quiet: true, json: true, verbose: true });

/** What there is to fetch. */
const THINGS = ['cifar10', 'cifar100', 'keras', 'torchvision'] as const;
type Thing = (typeof THINGS)[number];

export const download = defineCommand({
  name: 'download',
  summary: 'fetch weights and data sets',
  description:
    `Fetches into THAW_HOME: ${THINGS.join(', ')}. Broken downloads go on where they stopped; files are checked by hash\n` +
    'and moved into place whole. What is there already is not fetched again.',
  argument: { name: '<what...>', description: THINGS.join(', ') },
  options: [
    ['top', { description: 'weights with the ImageNet classifier, as thaw predict needs' }],
    'json',
    'quiet',
    'verbose',
  ],
  examples: [
    ['thaw download cifar10 keras', 'what the examples of the article need (about 260 MB)'],
    ['THAW_HOME=/big/disk thaw download cifar100', 'into another folder'],
  ],
  schema,
  defaults: { top: false, quiet: false, json: false, verbose: false },
  run: downloadCommand,
});

async function downloadCommand(
  { top }: z.infer<typeof schema>,
  { io, output }: Context,
  args: readonly string[],
): Promise<void> {
  const things = args.map((word) => {
    const thing = THINGS.find((name) => name === word);
    if (thing) return thing;
    const near = nearest(word, THINGS);
    const why =
      word === 'tf-official'
        ? 'has no public address; put the file into THAW_HOME/weights by hand'
        : `is not one of ${THINGS.join(', ')}`;
    throw new UsageError(`download: "${word}" ${why}${near ? `; did you mean ${near}?` : '.'}`);
  });
  const homes = await findHomes(io);
  const progress = byteProgress(output);
  for (const thing of things) {
    const path = await fetchOne(thing, top, homes, progress);
    output.event('result', { name: thing, path });
    output.result(`${thing}  ${path}`);
  }
}

async function fetchOne(
  thing: Thing,
  top: boolean,
  homes: Awaited<ReturnType<typeof findHomes>>,
  progress: ReturnType<typeof byteProgress>,
): Promise<string> {
  switch (thing) {
    case 'cifar10':
    case 'cifar100': {
      const format = thing === 'cifar10' ? CIFAR10 : CIFAR100;
      const bar = { started: false };
      try {
        return await ensureCifar(format, {
          home: homes.home,
          cacheHome: homes.cacheHome,
          onProgress: ({ receivedBytes, totalBytes }) => {
            if (!bar.started) progress.start(format.title);
            bar.started = true;
            progress.update(receivedBytes, totalBytes);
          },
        });
      } finally {
        if (bar.started) progress.stop();
      }
    }
    case 'keras':
    case 'torchvision':
      return (await findIn(homes, thing, top)) ?? fetchWeights(thing, { includeTop: top }, homes, progress);
    default:
      return thing satisfies never;
  }
}
